//! `everkey agent accesses`: which programs were handed tokens, and when.

use crate::cli::render::callers;
use crate::cli::terminal::{dates, output, progress};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::request::ReadAccessLog;
use everkey_client::{Access, Agent};
use serde_json::json;
use std::process::ExitCode;

/// How many are shown unless more are asked for.
const LIMIT: u32 = 100;

struct Args {
    part: ReadAccessLog,
}

impl Default for Args {
    fn default() -> Self {
        Self { part: ReadAccessLog { since: None, until: None, skip: 0, limit: LIMIT } }
    }
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::value(
        "since",
        "TIME",
        "none that is earlier; a day, a time, or 2h for two hours ago",
        |args, text| {
            args.part.since = Some(dates::parse_past(&text)?);
            Ok(())
        },
    ),
    VerbOption::value("until", "TIME", "none that is later", |args, text| {
        args.part.until = Some(dates::parse_past(&text)?);
        Ok(())
    }),
    VerbOption::value("limit", "N", "how many at most (default: 100)", |args, text| {
        args.part.limit = number(&text)?;
        Ok(())
    }),
    VerbOption::value("skip", "N", "leave out the newest N, to see the next page", |args, text| {
        args.part.skip = number(&text)?;
        Ok(())
    }),
    rows::json(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey agent accesses --since 2h
  everkey agent accesses --json | jq -r '.accesses[].from.parents[0].program'

Usage: everkey agent accesses [OPTIONS]

Lists which programs were handed a token of which account, the newest first:
the program and its folder, who started it, up to the terminal or the systemd
unit, as the system says; and what the program calls itself, which nobody has
checked. Arguments are not kept; they may hold secrets.

Options:
{options}

The log goes back one to two MiB. With --json: accesses, total and skip.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    let part = parsed.own.part;
    let skip = part.skip;
    let page = progress::during(progress::AGENT, || Agent::connect()?.access_log(part))?;
    if parsed.shared.json {
        output::json(&json!({ "accesses": page.accesses, "total": page.total, "skip": skip }));
        return Ok(ExitCode::SUCCESS);
    }
    page.accesses.iter().for_each(|access| output::line(line(access)));
    let seen = u64::from(skip) + page.accesses.len() as u64;
    match (page.total, page.total > seen) {
        (0, _) => output::error_line("No program was handed a token in that time."),
        (total, true) => output::error_line(format_args!(
            "{} of {total} are shown; `--skip {seen}` shows older ones.",
            page.accesses.len()
        )),
        (total, false) => output::error_line(format_args!("{} of {total} are shown.", page.accesses.len())),
    }
    Ok(ExitCode::SUCCESS)
}

fn line(access: &Access) -> String {
    let time = dates::moment(access.at);
    let (program, client) = (access.program.as_deref(), access.client.as_deref());
    let whom = callers::whom(access.pid, program, access.from.as_ref(), client);
    format!("{time}  {:<12}  {}", output::plain(&access.profile), output::plain(&whom))
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no number of accesses, such as 100")
    })
}
