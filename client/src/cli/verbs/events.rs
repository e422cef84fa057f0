//! `everkey events`: what happens, one line each, until it is ended.

use crate::cli::context::{Chosen, Context};
use crate::cli::{ending, render, show};
use everkey_client::{Event, Failure};
use everkey_proto::Reply;
use everkey_proto::json::ReplyLine;
use signal_hook::consts::SIGINT;
use std::io::{self, IsTerminal, Write};
use std::process::{ExitCode, exit};

pub fn run(context: &Context) -> Result<ExitCode, Failure> {
    let json = context.json();
    // Every line is flushed when it is written, so there is nothing to do before the end.
    let _ = ending::on_signal(&[SIGINT], || exit(0));
    ending::on_closed_output(|| exit(0));
    let events = context.agent()?.follow(context.options().past)?;
    if !json && io::stderr().is_terminal() {
        show::err("Following what happens; Ctrl-C ends it.");
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
        show::one_line(&ReplyLine::from(Reply::Event(event)))
    } else {
        render::events::line(&event)
    };
    let mut out = anstream::stdout();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(show::unwritable(&e)),
    }
}
