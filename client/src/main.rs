//! everkey, the command line: asks the agent, shows prompts, prints, exits with the right code.
#![forbid(unsafe_code)]

mod agent;
mod args;
mod environment;
mod help;
mod show;
mod verbs;
mod wire;

use args::{Command, Invocation};
use everkey_proto::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let invocation = match args::parse() {
        Ok(invocation) => invocation,
        Err(usage) => {
            show::err(format_args!("everkey: {usage}\nTry `everkey --help`."));
            return ExitCode::from(2);
        }
    };
    match run(&invocation) {
        Ok(code) => code,
        Err(failure) => show::failure(&failure, &invocation),
    }
}

fn run(invocation: &Invocation) -> Result<ExitCode, Failure> {
    match &invocation.command {
        Command::Help(page) => {
            show::out(page.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Version => {
            show::out(format_args!("everkey {}", env!("CARGO_PKG_VERSION")));
            Ok(ExitCode::SUCCESS)
        }
        Command::Login => verbs::login::run(invocation),
        Command::Answer(flow) => verbs::answer::run(invocation, *flow),
        Command::Whoami => verbs::whoami::run(invocation),
        Command::Status => verbs::status::run(invocation),
        Command::Token { min_validity_secs } => verbs::token::run(invocation, *min_validity_secs),
        Command::Better => verbs::token::better(invocation),
        Command::Refresh { force } => verbs::refresh::run(invocation, *force),
        Command::Logout => verbs::logout::run(invocation),
        Command::Agent(verb) => verbs::agent::run(invocation, *verb),
    }
}
