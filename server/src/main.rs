//! The program: reads the command line, runs the command, and says what went wrong.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use everkey_server::cli::{ServerCli, command_line};
use everkey_server::command_error::CommandError;
use everkey_server::commands;
use zeroizing_alloc::ZeroAlloc;

/// Clears what it frees, so that no token outlives its request in a buffer of some library.
#[global_allocator]
static CLEARING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let cli = ServerCli::from_arg_matches(&command_line().get_matches()).unwrap_or_else(|error| error.exit());
    // What it writes is its own: database, keys, mail, files of reports.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Err(error) = everkey_guard::memory::close() {
        eprintln!("everkey-server: can't close this process to others: {error}");
        return ExitCode::FAILURE;
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everkey-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: ServerCli) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CommandError::new(format!("can't start: {error}"), "Try again."))?;
    runtime.block_on(commands::run(cli.command))
}
