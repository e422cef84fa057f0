//! The dashboard: a web page on 127.0.0.1 for this user alone, one more client of the agent's socket.
//! Deliberately absent: tokens, session files, decisions about sessions, anything from another host.
#![forbid(unsafe_code)]

pub mod agent;

use std::process::ExitCode;

/// Runs the program as its command line says, to its end.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
