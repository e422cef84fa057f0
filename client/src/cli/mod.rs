//! The terminal's side: reads the command line, runs the command, prints how it ended.

mod args;
mod browser;
mod config_file;
mod context;
mod ears;
mod ending;
mod help;
mod input;
mod moment;
mod options;
mod qr;
mod render;
mod show;
mod verbs;

use args::{Command, Invocation};
use context::Context;
use everkey_client::Failure;
use everkey_proto::Code;
use std::process::ExitCode;

/// The whole program.
pub fn run() -> ExitCode {
    match args::parse() {
        Ok(invocation) => dispatch(invocation),
        Err(usage) if args::wants_json() => {
            let failure = Failure::new(Code::BadRequest, usage, "Try `everkey --help`.");
            show::json(&show::error(&failure));
            ExitCode::from(2)
        }
        Err(usage) => {
            show::err(format_args!("everkey: {usage}\nTry `everkey --help`."));
            ExitCode::from(2)
        }
    }
}

fn dispatch(invocation: Invocation) -> ExitCode {
    let json = invocation.options.json;
    // These work whatever state the configuration is in.
    let simple = match &invocation.command {
        Command::Help(page) => {
            show::out(page.trim_end());
            return ExitCode::SUCCESS;
        }
        Command::Version => {
            show::out(format_args!("everkey {}", env!("CARGO_PKG_VERSION")));
            return ExitCode::SUCCESS;
        }
        Command::Agent(verb) => Some(verbs::agent::run(*verb, json)),
        Command::Profile(verb) => Some(verbs::profile::run(verb, &invocation.options)),
        Command::Link(name) => Some(verbs::link::link(name, &invocation.options)),
        Command::Unlink(name) => Some(verbs::link::unlink(name, &invocation.options)),
        Command::Dashboard => Some(verbs::dashboard::run(&invocation.options)),
        Command::Login
        | Command::Answer(_)
        | Command::Whoami
        | Command::Status
        | Command::Token
        | Command::Refresh
        | Command::Logout
        | Command::Reminder(_)
        | Command::Events
        | Command::Config(_) => None,
    };
    if let Some(ended) = simple {
        return ended.unwrap_or_else(|failure| show::failure(&failure, json));
    }
    let whoami = invocation.command == Command::Whoami;
    let context = match Context::new(invocation) {
        Ok(context) => context,
        Err(failure) => return show::failure(&failure, json),
    };
    about_an_account(&context).unwrap_or_else(|mut failure| {
        failure.message = context.in_our_words(&failure.message);
        failure.hint = context.in_our_words(&failure.hint);
        if whoami && !json { show::nobody(&failure) } else { show::failure(&failure, json) }
    })
}

fn about_an_account(context: &Context) -> Result<ExitCode, Failure> {
    match &context.invocation.command {
        Command::Login => verbs::login::run(context),
        Command::Answer(flow) => verbs::answer::run(context, *flow),
        Command::Whoami => verbs::whoami::run(context),
        Command::Status => verbs::status::run(context),
        Command::Token => verbs::token::run(context),
        Command::Refresh => verbs::refresh::run(context),
        Command::Logout => verbs::logout::run(context),
        Command::Reminder(verb) => verbs::reminder::run(context, *verb),
        Command::Events => verbs::events::run(context),
        Command::Config(verb) => verbs::config::run(context, verb),
        Command::Help(_)
        | Command::Version
        | Command::Agent(_)
        | Command::Dashboard
        | Command::Profile(_)
        | Command::Link(_)
        | Command::Unlink(_) => Ok(ExitCode::SUCCESS),
    }
}
