//! everkey, the command line: asks the agent, shows prompts, prints, exits with the right code.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
