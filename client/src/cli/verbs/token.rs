//! `everkey token`: a valid access token on stdout and nothing else.

use crate::cli::context::Context;
use crate::cli::terminal::prompt::{self, Echo};
use crate::cli::terminal::{dates, output, progress};
use crate::cli::usage::error::{UsageError, VerbError};
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Failure, Short};
use everkey_proto::Code;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Default)]
struct Args {
    min_validity: Option<Duration>,
    refused: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    VerbOption::value(
        "min-validity",
        "TIME",
        "valid for at least this long: 90, 90s, 5m, 1h ...",
        |args, time| {
            args.min_validity = Some(duration(&time)?);
            Ok(())
        },
    ),
    VerbOption::value("refused", "-", "another token; standard input has the refused one", |args, token| {
        args.refused = token == "-";
        let rule = "--refused takes `-`: the token comes on standard input, where no other program sees it";
        if args.refused { Ok(()) } else { Err(rule.to_owned()) }
    }),
    rows::json_as("with the expiry, as JSON"),
    rows::token(),
    rows::server(),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey token
  everkey curl /v0/auth/me

Usage: everkey token [OPTIONS]

Options:
{options}

A token is for the account's server (`everkey status --json` names it) and for
no other; `everkey curl` asks that server, and keeps the token out of arguments.

Ask for a token before each request and keep none: the agent refreshes ahead of
time. If a server answers 401 to a token, ask once for a better one:

  printf %s \"$token\" | everkey token --refused -

If a token is valid for less time than --min-validity asks, or if its session
has ended though the token works on, a warning on standard error says so.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    if parsed.own.refused && parsed.own.min_validity.is_some() {
        return Err(UsageError::Sentence("--refused and --min-validity don't go together".to_owned()).into());
    }
    let context = Context::new(parsed.shared)?;
    Ok(token(&context, &parsed.own).map_err(|failure| context.reword_as_its_tool(failure))?)
}

fn token(context: &Context, args: &Args) -> Result<ExitCode, Failure> {
    let given = context.given_token()?;
    if args.refused {
        return better(context);
    }
    if let Some(given) = given {
        print(context, &json!({ "source": output::origin(&given.origin) }), &given.token, None);
        return Ok(ExitCode::SUCCESS);
    }
    let mut agent = context.agent()?;
    let least = args.min_validity.unwrap_or_default();
    let token = progress::during(progress::SERVER, || context.client(&mut agent).token(least))?;
    hand_out(context, &token);
    Ok(ExitCode::SUCCESS)
}

/// `--refused -`: the token on standard input got a 401 though it should be valid (N29).
fn better(context: &Context) -> Result<ExitCode, Failure> {
    let refused = prompt::ask("Refused token (not shown): ", Echo::Hidden)?.unwrap_or_default();
    if let Some(given) =
        context.given_token()?.filter(|given| given.token.expose() == refused.expose().trim())
    {
        return Err(Failure::new(
            Code::Refused,
            format!("That token comes from {}, so there is no better one.", output::origin(&given.origin)),
            "Put another one there, or take it away to use the session's.",
        ));
    }
    let mut agent = context.agent()?;
    let token = progress::during(progress::SERVER, || context.client(&mut agent).better_than(&refused))?;
    hand_out(context, &token);
    Ok(ExitCode::SUCCESS)
}

fn hand_out(context: &Context, token: &everkey_client::Token) {
    let mut more = json!({ "expires_at": token.expires_at });
    if let Some(short) = token.short {
        more["short"] = json!(short);
    }
    if let Some(why) = &token.session_ended {
        more["session_ended"] = json!(why);
    }
    print(context, &more, &token.access_token, token.expires_at);
    if let Some(why) = &token.session_ended {
        return output::session_ended(why, token.expires_at, &context.command("login"));
    }
    let expires =
        token.expires_at.map_or_else(String::new, |at| format!("; it expires {}", dates::local(at)));
    match token.short {
        Some(Short::Lifetime) => {
            output::error_line(format_args!(
                "warning: the api-server never gives a token that long{expires}"
            ));
        }
        Some(Short::NoRefresh) => {
            output::error_line(format_args!("warning: no fresher token can be had right now{expires}"));
        }
        None => {}
    }
}

fn print(
    context: &Context,
    more: &serde_json::Value,
    token: &everkey_client::Secret,
    expires_at: Option<u64>,
) {
    if !context.options.json {
        return output::line(token.expose());
    }
    let mut line = json!({ "access_token": token, "token_type": "Bearer", "expires_at": expires_at });
    for (key, value) in more.as_object().into_iter().flatten() {
        line[key] = value.clone();
    }
    output::json(&line);
}

/// Whole seconds, as the protocol counts them: `90`, `90s`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let plain = text.parse().ok().map(Duration::from_secs);
    let parsed = plain.or_else(|| humantime::parse_duration(text).ok());
    let secs = parsed.map(|time| time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)));
    secs.filter(|secs| u32::try_from(*secs).is_ok()).map(Duration::from_secs).ok_or_else(|| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no duration; write 90, 90s, 5m or 1h")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_seconds_or_what_humantime_reads() {
        for (text, secs) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("5m", 300),
            ("1h", 3_600),
            ("9999h", 35_996_400),
            ("1h 30m", 5_400),
            ("1500ms", 2),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in ["", "x", "-5", "5x", "99999999h", "1h30", "4294967296"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
