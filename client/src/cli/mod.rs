//! The command line: finds the verb that was typed, runs it, prints how it ended.

mod begin;
mod broken_profiles;
mod config_file;
mod context;
mod curl_program;
mod dashboard_program;
mod dashboard_service;
mod doctor;
mod every_account;
mod explain;
mod older_agent;
mod profile_link;
mod render;
mod report;
mod restart;
mod server_in_force;
mod service;
mod standing;
mod terminal;
mod terminal_login;
mod usage;
mod verbs;

#[cfg(test)]
mod tests;

use everkey_client::{Code, Failure};
use std::process::ExitCode;
use terminal::key_by_key::PutBackAtEnd;
use terminal::output;
use usage::command_line::CommandLine;
use usage::dispatch::{self, Task, WrongUsage};
use usage::error::{UsageError, VerbError};
use usage::message;
use verbs::VERBS;

/// The whole program.
pub fn run() -> ExitCode {
    // What is typed, and the tokens that are handed out, are for no core dump.
    if let Err(e) = everkey_guard::memory::forbid_core_dumps() {
        output::error_line(format_args!("everkey: can't forbid core dumps: {e}"));
        return ExitCode::FAILURE;
    }
    let _terminal = PutBackAtEnd;
    let line = match CommandLine::read(lexopt::Parser::from_env(), VERBS) {
        Ok(line) => line,
        Err(sentence) => {
            let error = UsageError::Sentence(sentence);
            return wrong_usage(&WrongUsage { error, path: Vec::new() }, json_was_typed());
        }
    };
    let json = line.wants_json();
    match dispatch::task(line, VERBS) {
        Ok(Task::Begin) => {
            output::line(begin::page().trim_end());
            ExitCode::SUCCESS
        }
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
    let text = message::message(&wrong.error, &wrong.path, &top);
    let hint = match message::spelled(&wrong.path) {
        verb if verb.is_empty() => "Try `everkey --help`.".to_owned(),
        verb => format!("Try `everkey {verb} --help`, or `everkey --help` for all commands."),
    };
    if json {
        output::json(&output::failure_json(&Failure::new(Code::BadRequest, text, hint)));
    } else {
        output::error_line(format_args!("everkey: {text}\n{hint}"));
    }
    ExitCode::from(Code::BadRequest.exit_code())
}

/// Whether `--json` is there, in a command line that can't be read to its end.
fn json_was_typed() -> bool {
    std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json")
}
