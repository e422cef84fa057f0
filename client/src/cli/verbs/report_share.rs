//! `everkey report share`: a link to a report that was uploaded.

use crate::cli::context::Context;
use crate::cli::report::api::Api;
use crate::cli::report::bundle::Bundle;
use crate::cli::report::upload::share;
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::verbs::curl::server_and_token;
use everkey_client::{Failure, Hint, environment};
use everkey_proto::Code;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// For how many days a link works, if nothing else is said.
const USUAL_DAYS: u32 = 7;

#[derive(Default)]
struct Args {
    days: Option<u32>,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::value("days", "N", "for how many days it works: 1 to 90 (7)", |args, days| {
        let days = days.parse().ok().filter(|days| (1..=90).contains(days));
        args.days = Some(days.ok_or("--days takes a number from 1 to 90")?);
        Ok(())
    }),
    rows::json_as("print one JSON object: url and expires_at"),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey report share
  everkey report share --days 1 ./everkey-report

Usage: everkey report share [FOLDER] [OPTIONS]

Makes a link that shows an uploaded report with its files to whoever has it, and
prints it: the report in FOLDER, else the one that was made last. The account is
the one that uploaded it. The server's pages list links and end them.

Options:
{options}
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let bundle = match parsed.words.as_slice() {
        [] => Bundle::newest(&environment::places()?)?,
        [folder] => Bundle::open(Path::new(folder))?,
        [_, extra, ..] => return Err(UsageError::ExtraWord(extra.clone()).into()),
    };
    let uploaded = bundle.uploaded()?;
    let mut options = parsed.shared;
    options.profile = Some(uploaded.profile.clone());
    let context = Context::new(options)?;
    let (server, token) = server_and_token(&context).map_err(|failure| context.reword(failure))?;
    if server != uploaded.server {
        let what = format!(
            "The report is at {}, and {} is signed in at {server}.",
            uploaded.server, uploaded.profile
        );
        return Err(Failure::new(Code::Mismatch, what, Hint::Whoami).into());
    }
    let api = Api { server, token, network: context.profile.network.clone() };
    let made = share(&api, &uploaded, parsed.own.days.unwrap_or(USUAL_DAYS));
    let (url, expires_at) = made.map_err(|failure| context.reword(failure))?;
    if context.options.json {
        output::json(&json!({ "url": url, "expires_at": expires_at }));
    } else {
        output::line(output::plain(&url));
        output::error_line(format_args!("It works until {}.", output::plain(&expires_at)));
    }
    Ok(ExitCode::SUCCESS)
}
