//! `everkey report upload`: sends a bundle to a workspace, because somebody says so.

use crate::cli::context::Context;
use crate::cli::report::api::Api;
use crate::cli::report::bundle::{Bundle, BundledFile, UploadedReport};
use crate::cli::report::upload::{ReportWords, upload};
use crate::cli::terminal::output;
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::verbs::curl::server_and_token;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    workspace: Option<String>,
    title: Option<String>,
    retain_days: Option<u32>,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::value("workspace", "W", "the workspace's name or id", |args, workspace| {
        args.workspace = Some(workspace);
        Ok(())
    }),
    VerbOption::value("title", "TEXT", "what it is called there", |args, title| {
        args.title = Some(title);
        Ok(())
    }),
    VerbOption::value("retain-days", "N", "have the server keep it for so many days", |args, days| {
        let days = days.parse().ok().filter(|days| *days > 0);
        args.retain_days = Some(days.ok_or("--retain-days takes a number of days")?);
        Ok(())
    }),
    rows::profile(),
    rows::json_as("print one JSON object: server, workspace and report"),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey report upload --workspace \"The lab\"
  everkey report upload --workspace \"The lab\" ./everkey-report

Usage: everkey report upload --workspace W [FOLDER] [OPTIONS]

Sends a report to the account's own api-server, an everkey-server, with the
account's token: the report in FOLDER, else the one that was made last. Files go
as they are now, so what you removed or changed is not sent; all arrive, or
none stays. Members of the workspace can read them. It takes an owner or admin.

Options:
{options}
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let folder = match parsed.words.as_slice() {
        [] => None,
        [folder] => Some(folder.clone()),
        [_, extra, ..] => return Err(UsageError::ExtraWord(extra.clone()).into()),
    };
    let Some(workspace) = parsed.own.workspace else {
        return Err(UsageError::Sentence("`report upload` needs --workspace W".to_owned()).into());
    };
    let context = Context::new(parsed.shared)?;
    let places = &context.configuration.places;
    let bundle = folder.map_or_else(|| Bundle::newest(places), |folder| Bundle::open(Path::new(&folder)))?;
    let name = bundle.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let title = parsed.own.title.unwrap_or(name);
    let words = ReportWords { title, retain_days: parsed.own.retain_days };
    let (server, token) = server_and_token(&context).map_err(|failure| context.reword(failure))?;
    let api = Api { server, token, network: context.profile.network.clone() };
    let json = context.options.json;
    let sent = |file: &BundledFile| {
        if !json {
            output::line(format_args!("sent {}", file.shown()));
        }
    };
    let profile = context.profile.name.clone();
    let uploaded = upload(&api, &profile, &workspace, &bundle, &words, sent);
    let uploaded = uploaded.map_err(|failure| context.reword(failure))?;
    bundle.note(&uploaded)?;
    let UploadedReport { server, workspace, report, .. } = uploaded;
    if json {
        output::json(&json!({ "server": server, "workspace": workspace, "report": report }));
    } else {
        let at = format!("{server}/v1/workspaces/{workspace}/reports/{report}");
        output::line(format_args!("It is at {}", output::plain(&at)));
        output::line("`everkey report share` makes a link for whoever is in no workspace.");
    }
    Ok(ExitCode::SUCCESS)
}
