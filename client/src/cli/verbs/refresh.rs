//! `everkey refresh`: refreshes now and prints the new expiry.

use crate::cli::context::Context;
use crate::cli::terminal::{dates, output, progress};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::Failure;
use everkey_client::request::Refresh;
use serde_json::json;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    force: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    VerbOption::flag("force", "even if the last refresh was less than 30 seconds ago", |args| {
        args.force = true
    }),
    rows::json(),
    rows::server(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey refresh

Usage: everkey refresh [OPTIONS]

Options:
{options}

The agent refreshes ahead of time by itself; this is for trying it out, or
after a server has answered 401 to a token that should be valid.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    let context = Context::new(parsed.shared)?;
    Ok(refresh(&context, parsed.own.force).map_err(|failure| context.reword_as_its_tool(failure))?)
}

fn refresh(context: &Context, force: bool) -> Result<ExitCode, Failure> {
    let mut agent = context.agent()?;
    let access_expires_at =
        progress::during(progress::SERVER, || context.client(&mut agent).call(Refresh { force }))?
            .access_expires_at;
    if context.options.json {
        output::json(&json!({ "access_expires_at": access_expires_at }));
    } else {
        let expires = access_expires_at.map(|at| format!("; the access token expires {}", dates::local(at)));
        output::line(format_args!("Refreshed{}.", expires.unwrap_or_default()));
    }
    Ok(ExitCode::SUCCESS)
}
