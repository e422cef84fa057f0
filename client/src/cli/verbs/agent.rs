//! `everkey agent`: `start`, `stop`, `status` and `logs`; the others have a file each.

use crate::cli::render;
use crate::cli::terminal::{output, progress};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::Action::Run;
use crate::cli::usage::verb::{VerbHelp, VerbRow};
use crate::cli::verbs::{accesses, agent_install, agent_restart};
use everkey_client::request::{DescribeAgent, Stop};
use everkey_client::{Agent, Failure, environment};
use everkey_guard::file;
use everkey_proto::Code;
use serde_json::{Value, json};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

#[rustfmt::skip]
pub const VERBS: &[VerbRow] = &[
    VerbRow { name: "start", summary: "start the agent if none runs", help: help_start, action: Run(start) },
    VerbRow { name: "stop", summary: "have the agent finish what is under way and exit", help: help_stop, action: Run(stop) },
    VerbRow { name: "restart", summary: "have another one take its place, as after an upgrade", help: agent_restart::help, action: Run(agent_restart::run) },
    VerbRow { name: "status", summary: "print its version, process, socket and folder", help: help_status, action: Run(status) },
    VerbRow { name: "logs", summary: "print its log", help: help_logs, action: Run(logs) },
    VerbRow { name: "accesses", summary: "list which programs were handed tokens, and when", help: accesses::help, action: Run(accesses::run) },
    VerbRow { name: "install", summary: "have systemd or launchd run it", help: agent_install::help_install, action: Run(agent_install::install) },
    VerbRow { name: "uninstall", summary: "sign out everywhere and remove what everkey has made", help: agent_install::help_uninstall, action: Run(agent_install::uninstall) },
];

const OPTIONS: &[VerbOption<()>] = &[rows::json()];

const LOGS_OPTIONS: &[VerbOption<()>] = &[rows::json_as("one JSON object a line: time, level and message")];

pub fn help() -> VerbHelp {
    VerbHelp::of_verbs(
        "
  everkey agent status
  everkey agent stop

Usage: everkey agent COMMAND [OPTIONS]

Commands:
{commands}

The agent is the one process that owns your sign-ins and refreshes them ahead
of time. Every other command starts it if none runs.
",
    )
}

fn help_start() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent start

Usage: everkey agent start [OPTIONS]

Options:
{options}

Prints what `everkey agent status` prints. Every other command starts the
agent, too; this one is for scripts that want it to run before.
",
        OPTIONS,
    )
}

fn help_stop() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent stop

Usage: everkey agent stop [OPTIONS]

Options:
{options}

No session is lost; the next command starts an agent again.
",
        OPTIONS,
    )
}

fn help_status() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent status

Usage: everkey agent status [OPTIONS]

Options:
{options}

Starts none: exit 3 where no agent runs.
",
        OPTIONS,
    )
}

fn help_logs() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent logs

Usage: everkey agent logs [OPTIONS]

Options:
{options}

It holds no secret. An agent run by systemd logs to the journal instead:
journalctl --user -u everkey
",
        LOGS_OPTIONS,
    )
}

fn start(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let json = arguments.read_options(OPTIONS)?.shared.json;
    progress::during(progress::AGENT, Agent::connect)?;
    print_status(json)
}

fn stop(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let json = arguments.read_options(OPTIONS)?.shared.json;
    let sentence = match Agent::find()? {
        Some(mut agent) => {
            agent.call(Stop)?;
            "The agent finishes what is under way and exits."
        }
        None => "No agent runs.",
    };
    if json {
        output::json(&json!({ "running": false }));
    } else {
        output::line(sentence);
    }
    Ok(ExitCode::SUCCESS)
}

fn status(arguments: Arguments) -> Result<ExitCode, VerbError> {
    print_status(arguments.read_options(OPTIONS)?.shared.json)
}

fn print_status(json: bool) -> Result<ExitCode, VerbError> {
    let mut agent = Agent::find()?.ok_or_else(no_agent)?;
    let info = agent.call(DescribeAgent)?;
    render::agent::print(&info, json);
    Ok(ExitCode::SUCCESS)
}

fn logs(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let json = arguments.read_options(LOGS_OPTIONS)?.shared.json;
    let path = environment::places()?.state.join("agent.log");
    let log = end_of(&path).map_err(|e| {
        Failure::new(
            Code::Storage,
            format!("{}: {e}.", path.display()),
            "An agent run by systemd logs to the journal: journalctl --user -u everkey",
        )
    })?;
    for line in String::from_utf8_lossy(&log).lines() {
        if json { output::json(&entry(line)) } else { output::line(line) }
    }
    Ok(ExitCode::SUCCESS)
}

/// The log, or the end of a very long one.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    const MOST: u64 = 64 * 1024 * 1024;
    let mut file = file::open(path)?.ok_or(io::ErrorKind::NotFound)?;
    file.seek(SeekFrom::Start(file.metadata()?.len().saturating_sub(MOST)))?;
    let mut log = Vec::new();
    file.take(MOST).read_to_end(&mut log)?;
    Ok(log)
}

/// A line of the log: its time (RFC 3339, UTC) and level, and what they are about. What is no entry has only that.
fn entry(line: &str) -> Value {
    let parts = line.split_once(' ').and_then(|(time, rest)| {
        let (level, message) = rest.trim_start().split_once(' ')?;
        let known = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level) && time.ends_with('Z');
        known.then_some((time, level, message))
    });
    match parts {
        Some((time, level, message)) => {
            json!({ "time": time, "level": level.to_lowercase(), "message": message })
        }
        None => json!({ "message": line }),
    }
}

fn no_agent() -> Failure {
    Failure::new(
        Code::NoAgent,
        "No agent runs.",
        "Run `everkey agent start`; every other command starts it by itself.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_becomes_an_object() {
        let line = "2026-11-29T05:54:08.250885Z  WARN refresh failed profile=\"a\"";
        let wanted = json!({
            "time": "2026-11-29T05:54:08.250885Z", "level": "warn", "message": "refresh failed profile=\"a\"",
        });
        assert_eq!(entry(line), wanted);
        for other in ["", "   at x.rs:1", "one two three"] {
            assert_eq!(entry(other), json!({ "message": other }));
        }
    }
}
