//! `everkey reminder set|get|clear`: the re-audit reminder of whoever is signed in.

use crate::cli::context::Context;
use crate::cli::render::reminder as words;
use crate::cli::terminal::{dates, output};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::Action::Run;
use crate::cli::usage::verb::{VerbHelp, VerbRow};
use everkey_client::{Reminder, Upstream, When};
use serde_json::json;
use std::process::ExitCode;

#[rustfmt::skip]
pub const VERBS: &[VerbRow] = &[
    VerbRow { name: "set", summary: "set it, in place of the one there is", help: help_set, action: Run(set) },
    VerbRow { name: "get", summary: "print when it is due, and whether the api-server knows it", help: help_get, action: Run(get) },
    VerbRow { name: "clear", summary: "remove it", help: help_clear, action: Run(clear) },
];

/// When nothing is said.
const IN_DAYS: u32 = 7;

#[derive(Default)]
struct SetArgs {
    when: Option<When>,
}

const SET_OPTIONS: &[VerbOption<SetArgs>] = &[
    VerbOption::value("in-days", "N", "in so many days, 1 to 365 (default 7)", |args, days| {
        set_once(args, || Ok(When::InDays(parse_days(&days)?)))
    }),
    VerbOption::value("at", "TIME", "at this time, at most 365 days ahead", |args, time| {
        set_once(args, || Ok(When::At(dates::parse_future(&time)?)))
    }),
    rows::profile(),
    rows::json(),
];

const OPTIONS: &[VerbOption<()>] = &[rows::profile(), rows::json()];

pub fn help() -> VerbHelp {
    VerbHelp::of_verbs(
        "
  everkey reminder set --in-days 30
  everkey reminder get

Usage: everkey reminder COMMAND [OPTIONS]

Commands:
{commands}

The reminder is failproofai's, and belongs to whoever is signed in: somebody
else who signs in does not see it. It is kept here first; the api-server is told
as soon as it can be reached. When it is due you get a notification, and
`everkey status` and `everkey events` say so, until it is set anew or cleared.
",
    )
}

fn help_set() -> VerbHelp {
    VerbHelp::new(
        "
  everkey reminder set --in-days 30
  everkey reminder set --at 2026-12-01

Usage: everkey reminder set [OPTIONS]

Options:
{options}

TIME is one of
  2026-12-01                    that day, at 9 in the morning here
  2026-12-01T09:00              here; also \"2026-12-01 09:00\"
  2026-12-01T09:00Z             in UTC
  2026-12-01T09:00+01:00        that far from UTC
",
        SET_OPTIONS,
    )
}

fn help_get() -> VerbHelp {
    VerbHelp::new(
        "
  everkey reminder get

Usage: everkey reminder get [OPTIONS]

Options:
{options}

--json prints {\"reminder\": {\"at\", \"email\", \"set_at\", \"due\", \"upstream\"}},
times in unix seconds, or {\"reminder\": null}. That there is none is no error
(exit 0); that nobody is signed in is one (exit 1).
",
        OPTIONS,
    )
}

fn help_clear() -> VerbHelp {
    VerbHelp::new(
        "
  everkey reminder clear

Usage: everkey reminder clear [OPTIONS]

Options:
{options}

That there was none is no error.
",
        OPTIONS,
    )
}

fn set(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(SET_OPTIONS)?;
    let when = parsed.own.when.unwrap_or(When::InDays(IN_DAYS));
    let context = Context::new(parsed.shared)?;
    let mut agent = context.agent()?;
    let set = context.client(&mut agent).set_reminder(when);
    let reminder = set.map_err(|failure| context.reword(failure))?;
    if context.options.json {
        print_json(Some(&reminder));
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format_args!("Reminder set for {}.", dates::local(reminder.at)));
    match reminder.upstream {
        Upstream::Told => {}
        // It was set a moment ago.
        Upstream::Pending => output::line("The api-server is being told."),
        Upstream::Unknown => output::line(words::upstream(reminder.upstream)),
    }
    Ok(ExitCode::SUCCESS)
}

fn get(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let context = Context::new(arguments.read_options(OPTIONS)?.shared)?;
    let mut agent = context.agent()?;
    let reminder = context.client(&mut agent).reminder().map_err(|failure| context.reword(failure))?;
    match reminder {
        reminder if context.options.json => print_json(reminder.as_ref()),
        Some(reminder) => print(&context, &reminder),
        None => {
            output::line("No reminder is set.");
            output::error_line(format_args!("`{}` sets one.", context.plain_command("reminder set")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn clear(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let context = Context::new(arguments.read_options(OPTIONS)?.shared)?;
    let mut agent = context.agent()?;
    context.client(&mut agent).clear_reminder().map_err(|failure| context.reword(failure))?;
    if context.options.json {
        print_json(None);
    } else {
        output::line("Reminder cleared.");
    }
    Ok(ExitCode::SUCCESS)
}

fn print(context: &Context, reminder: &Reminder) {
    output::line(words::line(reminder));
    if reminder.due {
        output::line(words::what_to_do(context));
    }
    output::line(words::upstream(reminder.upstream));
}

fn print_json(reminder: Option<&Reminder>) {
    output::json(&json!({ "reminder": reminder }));
}

fn set_once(args: &mut SetArgs, when: impl FnOnce() -> Result<When, String>) -> Result<(), String> {
    if args.when.is_some() {
        return Err("--in-days and --at don't go together; give one of them once".to_owned());
    }
    args.when = Some(when()?);
    Ok(())
}

/// `1` to `365`.
fn parse_days(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|days| (1..=365).contains(days)).ok_or_else(|| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no number of days from 1 to 365")
    })
}
