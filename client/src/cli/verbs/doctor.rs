//! `everkey doctor`: what is wrong, and what to do about it.

use crate::cli::doctor::{self, run::diagnose};
use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use std::process::ExitCode;

const OPTIONS: &[VerbOption<()>] = &[rows::json_as("print one JSON object")];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey doctor
  everkey doctor --json | jq -r '.findings[].to_do'

Usage: everkey doctor [OPTIONS]

Looks at the agent, its versions, files and disks, each account's server (name,
proxy, certificate, answer, clock), sessions, and systemd's units, and says in a
line what to do about whatever is wrong. It takes three seconds at most, changes
nothing and starts no agent; without one, the agent's program asks the servers.

Exit 0 where nothing is wrong, 1 where something is. Notes are no problems.

Options:
{options}

`everkey report` puts all of it into a folder that others can help with.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let json = arguments.read_options(OPTIONS)?.shared.json;
    let diagnosis = diagnose();
    if json {
        output::json(&diagnosis.json());
    } else {
        doctor::print(&diagnosis);
    }
    Ok(if diagnosis.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
