//! `everkey agent restart`: another agent takes the place of the one that runs, and no client notices.

use crate::cli::render;
use crate::cli::restart::restart_agent;
use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::Agent;
use everkey_client::request::DescribeAgent;
use std::process::ExitCode;

const OPTIONS: &[VerbOption<()>] = &[rows::json()];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent restart

Usage: everkey agent restart [OPTIONS]

Options:
{options}

For after an upgrade. The agent finishes what is under way; who asks meanwhile
waits for the next one and gets an answer. A sign-in that waits for a code or a
browser has to begin anew. Where none runs, one is started.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let json = arguments.read_options(OPTIONS)?.shared.json;
    let info = match restart_agent()? {
        Some(info) => info,
        None => Agent::connect()?.call(DescribeAgent)?,
    };
    if !json {
        output::line("Restarted.");
    }
    render::agent::print(&info, json);
    Ok(ExitCode::SUCCESS)
}
