//! The command line: finds the verb that was typed, runs it, prints how it ended.

mod browser;
mod command_line;
mod config_file;
mod context;
mod dashboard_program;
mod dates;
mod dispatch;
mod error;
mod explain;
mod help;
mod interrupt;
mod option;
mod output;
mod profile_link;
mod prompt;
mod qr;
mod render;
mod restart;
mod shared_options;
mod shared_rows;
mod stdin_or_step;
mod terminal_login;
mod usage_message;
mod verb;
mod verbs;

#[cfg(test)]
mod tests;

use command_line::CommandLine;
use dispatch::{Task, WrongUsage};
use error::{UsageError, VerbError};
use everkey_client::{Code, Failure};
use std::process::ExitCode;
use verbs::VERBS;

/// The whole program.
pub fn run() -> ExitCode {
    let line = match CommandLine::read(lexopt::Parser::from_env(), VERBS) {
        Ok(line) => line,
        Err(sentence) => {
            let error = UsageError::Sentence(sentence);
            return wrong_usage(&WrongUsage { error, path: Vec::new() }, json_was_typed());
        }
    };
    let json = line.wants_json();
    match dispatch::task(line, VERBS) {
        Ok(Task::Print(text)) => {
            output::line(text.trim_end());
            ExitCode::SUCCESS
        }
        Ok(Task::Run { path, run, arguments }) => match run(arguments) {
            Ok(code) => code,
            Err(VerbError::Failure(failure)) => output::failure(&failure, json),
            Err(VerbError::Usage(error)) => wrong_usage(&WrongUsage { error, path }, json),
        },
        Err(wrong) => wrong_usage(&wrong, json),
    }
}

fn wrong_usage(wrong: &WrongUsage, json: bool) -> ExitCode {
    let top: Vec<_> = VERBS.iter().map(|(_, row)| row).collect();
    let message = usage_message::message(&wrong.error, &wrong.path, &top);
    let hint = match usage_message::spelled(&wrong.path) {
        verb if verb.is_empty() => "Try `everkey --help`.".to_owned(),
        verb => format!("Try `everkey {verb} --help`, or `everkey --help` for all commands."),
    };
    if json {
        output::json(&output::failure_json(&Failure::new(Code::BadRequest, message, hint)));
    } else {
        output::error_line(format_args!("everkey: {message}\n{hint}"));
    }
    ExitCode::from(Code::BadRequest.exit_code())
}

/// Whether `--json` is there, in a command line that can't be read to its end.
fn json_was_typed() -> bool {
    std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json")
}
