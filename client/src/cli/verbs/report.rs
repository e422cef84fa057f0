//! `everkey report`: a folder for whoever is to help, which goes nowhere by itself.

use crate::cli::doctor::run::diagnose;
use crate::cli::report::bundle::Bundle;
use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::Action::Run;
use crate::cli::usage::verb::{VerbHelp, VerbRow};
use crate::cli::verbs::{report_share, report_upload};
use everkey_client::environment;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[rustfmt::skip]
pub const VERBS: &[VerbRow] = &[
    VerbRow { name: "upload", summary: "send a report to a workspace of the api-server", help: report_upload::help, action: Run(report_upload::run) },
    VerbRow { name: "share", summary: "make a link to an uploaded report", help: report_share::help, action: Run(report_share::run) },
];

#[derive(Default)]
struct Args {
    output: Option<PathBuf>,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::value(
        "output",
        "FOLDER",
        "make this folder, instead of one in the state folder",
        |args, folder| {
            let folder = std::path::absolute(folder).map_err(|e| e.to_string())?;
            args.output = Some(folder);
            Ok(())
        },
    ),
    rows::json_as("print one JSON object: folder and files"),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey report
  everkey report upload --workspace \"The lab\"
  everkey report share

Usage: everkey report [OPTIONS]
       everkey report COMMAND [OPTIONS]

Makes a folder with what `everkey doctor` finds, versions, and the end of the
agent's log, and says where it is. Nothing leaves this machine: read it, remove
what you like, then send it yourself, or have it sent:

{commands}

Options:
{options}

Tokens, passwords and your name in paths are taken out (`everkey redact` says
how); email addresses, names of hosts and of files stay. manifest.json has the
size and the SHA-256 of each file.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    let places = environment::places()?;
    let bundle = Bundle::make(&diagnose(), &places, parsed.own.output)?;
    if parsed.shared.json {
        output::json(&json!({ "folder": bundle.folder, "files": bundle.files }));
        return Ok(ExitCode::SUCCESS);
    }
    output::line(output::plain(&bundle.folder.display().to_string()));
    bundle.files.iter().for_each(|file| output::line(format_args!("  {}", file.shown())));
    output::line("Nothing was sent. Read it; `everkey report upload --workspace W` sends it.");
    Ok(ExitCode::SUCCESS)
}
