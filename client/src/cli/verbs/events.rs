//! `everkey events`: what happens, one line each, until it is ended.

use crate::cli::context::{Chosen, Context};
use crate::cli::render;
use crate::cli::terminal::{interrupt, output};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Event, Failure};
use everkey_proto::Reply;
use everkey_proto::json::ReplyLine;
use signal_hook::consts::SIGINT;
use std::io::{self, IsTerminal, Write};
use std::process::{ExitCode, exit};

#[derive(Default)]
struct Args {
    past: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::flag("past", "first the last 500 events since the agent started", |args| args.past = true),
    rows::profile_as("about this account only"),
    rows::json_as("one JSON object a line, as proto/README.md describes them"),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey events --past
  everkey events --json | jq -r 'select(.event == \"handed\") | .program'

Usage: everkey events [OPTIONS]

Prints a line whenever somebody signs in or out, a session is refreshed, can't
be refreshed or needs a new sign-in, another program's session file is taken
over, a token is handed to a program, or a reminder is set, cleared or due.

Options:
{options}

Goes on until Ctrl-C, or until nobody reads its output (exit 0). If the agent
ends, or you read so slowly that events had to be left out, it says so: exit 3.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    let context = Context::new(parsed.shared)?;
    Ok(follow(&context, parsed.own.past).map_err(|failure| context.reword(failure))?)
}

fn follow(context: &Context, past: bool) -> Result<ExitCode, Failure> {
    let json = context.options.json;
    // Every line is flushed when it is written, so there is nothing to do before the end.
    let _ = interrupt::on_signal(&[SIGINT], || exit(0));
    interrupt::on_closed_output(|| exit(0));
    let events = context.agent()?.follow(past)?;
    if !json && io::stderr().is_terminal() {
        output::error_line("Following what happens; Ctrl-C ends it.");
    }
    for event in events {
        let event = event?;
        if is_wanted(context, &event) && !printed(event, json)? {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// All of them, unless the account was named on the command line or by the name of a link.
fn is_wanted(context: &Context, event: &Event) -> bool {
    match context.chosen {
        Chosen::Option | Chosen::Link(_) => event.profile == context.profile.name,
        Chosen::Variable | Chosen::Configuration | Chosen::Default => true,
    }
}

/// False when nobody reads any more.
fn printed(event: Event, json: bool) -> Result<bool, Failure> {
    let line = if json {
        output::json_line(&ReplyLine::from(Reply::Event(event)))
    } else {
        render::events::line(&event)
    };
    let mut out = anstream::stdout();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(output::unwritable(&e)),
    }
}
