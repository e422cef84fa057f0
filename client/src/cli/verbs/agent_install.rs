//! `everkey agent install` and `uninstall`: the agent as a service of its user, and everything of everkey's gone again.

use crate::cli::context::Context;
use crate::cli::service::{KeptThings, ServiceManager, ServiceStep, StepResult, left_behind};
use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_options::SharedOptions;
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Agent, Failure, Revocation, UserConfiguration};
use everkey_proto::Code;
use serde_json::json;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    dry_run: bool,
    kept: KeptThings,
}

const DRY_RUN: VerbOption<Args> =
    VerbOption::flag("dry-run", "only say what would be done", |args| args.dry_run = true);

const INSTALL_OPTIONS: &[VerbOption<Args>] =
    &[DRY_RUN, rows::json_as("print {\"done\"}, {\"to_do\"} or {\"left\"}, one a line")];

const UNINSTALL_OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::value("keep", "WHAT", "sessions: stay signed in, and keep the accounts", |args, what| {
        args.kept = match what.as_str() {
            "sessions" => KeptThings::Sessions,
            _ => return Err("--keep takes `sessions`".to_owned()),
        };
        Ok(())
    }),
    DRY_RUN,
    rows::json_as("print {\"done\"}, {\"to_do\"} or {\"left\"}, one a line"),
];

pub fn help_install() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent install --dry-run
  everkey agent install

Usage: everkey agent install [OPTIONS]

Options:
{options}

The service manager then starts the agent at the first command and when you
log in, restarts it if it dies or hangs, and keeps it in a sandbox. What is
installed already is left alone; after an upgrade, run it once more.
Without a service manager everkey works, too: the first command starts the
agent.
",
        INSTALL_OPTIONS,
    )
}

pub fn help_uninstall() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent uninstall --dry-run
  everkey agent uninstall --keep sessions

Usage: everkey agent uninstall [OPTIONS]

Options:
{options}

Without --keep every account is signed out, here and at its server, and nothing
is left but the programs. Files that everkey did not make stay, and are named.
",
        UNINSTALL_OPTIONS,
    )
}

pub fn install(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(INSTALL_OPTIONS)?;
    let manager = ServiceManager::find().ok_or_else(no_manager)?;
    let steps = manager.install()?;
    let report = Report { json: parsed.shared.json, dry_run: parsed.own.dry_run };
    let done = report.take(&steps)?;
    if report.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    // The service's first start, so that what keeps it from starting is seen now.
    if let Err(failure) = Agent::connect() {
        let mend = manager.mend()?;
        if mend.is_empty() {
            return Err(failure.into());
        }
        report.warn(
            "this machine gives its users no namespaces, so the sandbox leaves files open to the agent",
        );
        report.take(&mend)?;
        Agent::connect()?;
    }
    let sentence = match done {
        0 => format!("{} runs the agent already; nothing was to be done.", manager.as_str()),
        _ => format!("{} runs the agent from now on.", manager.as_str()),
    };
    report.close(&sentence);
    Ok(ExitCode::SUCCESS)
}

pub fn uninstall(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(UNINSTALL_OPTIONS)?;
    let report = Report { json: parsed.shared.json, dry_run: parsed.own.dry_run };
    let configuration = UserConfiguration::read()?;
    if parsed.own.kept == KeptThings::Nothing {
        sign_out(&report, &parsed.shared)?;
    }
    let mut steps = ServiceManager::find().map_or(Ok(Vec::new()), ServiceManager::uninstall)?;
    steps.push(ServiceStep::StopAgent);
    report.take(&steps)?;
    // Only now nobody writes there any more.
    report.take(&left_behind(&configuration, parsed.own.kept))?;
    if !report.dry_run {
        report.close("Everything is removed but the programs.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Every session that somebody has.
fn sign_out(report: &Report, shared: &SharedOptions) -> Result<(), Failure> {
    let signed_in = |context: &Context| context.profile.session_file.symlink_metadata().is_ok();
    for context in Context::of_all(shared)?.iter().filter(|context| signed_in(context)) {
        let name = &context.profile.name;
        if report.dry_run {
            report.say(&format!("sign {name} out"));
            continue;
        }
        let mut agent = context.agent()?;
        let revocation = context.client(&mut agent).logout()?.revocation;
        report.say(&format!("sign {name} out"));
        if matches!(revocation, Revocation::Queued | Revocation::NotConfirmed | Revocation::Impossible) {
            report
                .warn(&format!("{name}: the server was not told, so its tokens stay good until they expire"));
        }
    }
    Ok(())
}

/// Says what is done, or would be.
struct Report {
    json: bool,
    dry_run: bool,
}

impl Report {
    /// Takes the steps, or shows them; how many had something to do.
    fn take(&self, steps: &[ServiceStep]) -> Result<usize, Failure> {
        let mut done = 0;
        for step in steps {
            let outcome = match step {
                ServiceStep::Leave { why, .. } => StepResult::Left((*why).to_owned()),
                step if self.dry_run && step.only_tidies_up() => StepResult::Nothing,
                _ if self.dry_run => StepResult::Done,
                _ => step.take()?,
            };
            match outcome {
                StepResult::Done => {
                    done += 1;
                    self.say(&step.to_string());
                }
                StepResult::Nothing => {}
                StepResult::Left(why) => self.left(&format!("{}: {why}", step.path())),
            }
        }
        Ok(done)
    }

    fn say(&self, what: &str) {
        if self.json {
            let key = if self.dry_run { "to_do" } else { "done" };
            output::json(&json!({ key: what }));
        } else {
            let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
            let verb = if self.dry_run { format!("would {verb}") } else { past(verb).to_owned() };
            output::line(format_args!("{verb} {}", output::plain(rest)));
        }
    }

    fn left(&self, what: &str) {
        if self.json {
            output::json(&json!({ "left": what }));
        } else {
            output::line(format_args!("left as it is: {}", output::plain(what)));
        }
    }

    fn warn(&self, what: &str) {
        if self.json {
            output::json(&json!({ "warning": what }));
        } else {
            output::error_line(format_args!("warning: {}", output::plain(what)));
        }
    }

    fn close(&self, sentence: &str) {
        if !self.json {
            output::line(sentence);
        }
    }
}

/// A step's verb once it is done.
fn past(verb: &str) -> &str {
    match verb {
        "write" => "wrote",
        "remove" => "removed",
        "run" => "ran",
        "stop" => "stopped",
        "sign" => "signed",
        other => other,
    }
}

fn no_manager() -> Failure {
    Failure::new(
        Code::BadRequest,
        "Neither systemd nor launchd runs services for you here.",
        "Nothing is to be done: the first command starts the agent. In a container or over `su`, set XDG_RUNTIME_DIR.",
    )
}
