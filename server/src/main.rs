//! The program: reads the command line, runs the command, and says what went wrong.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use everkey_server::cli::Cli;
use everkey_server::commands;
use everkey_server::trouble::Trouble;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("everkey-server: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::new(format!("can't start: {error}"), "Try again."))?;
    runtime.block_on(commands::run(cli.command))
}
