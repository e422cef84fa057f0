//! `everkey whoami`: `EMAIL (ID)`.

use crate::cli::context::Context;
use crate::cli::explain::explain;
use crate::cli::render;
use crate::cli::terminal::{output, progress};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::precedence::GivenToken;
use everkey_client::{Failure, Inspection, Status, User, Verdict};
use everkey_config::ProviderKind;
use everkey_proto::Code;
use serde_json::json;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    explain: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    VerbOption::flag("explain", "say where account, server and token come from", |args| args.explain = true),
    rows::json(),
    rows::token(),
    rows::server(),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey whoami
  everkey whoami --profile binboi
  everkey whoami --explain

Usage: everkey whoami [OPTIONS]

Prints EMAIL (ID). Exit 1 and \"not signed in\" where nobody is.

Options:
{options}
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    let context = Context::new(parsed.shared)?;
    let ended = if parsed.own.explain { explain(&context) } else { whoami(&context) };
    ended.or_else(|failure| {
        let failure = context.reword(failure);
        if context.options.json { Err(failure.into()) } else { Ok(output::nobody(&failure)) }
    })
}

fn whoami(context: &Context) -> Result<ExitCode, Failure> {
    let given = context.given_token()?;
    let mut agent = context.agent()?;
    let mut client = context.client(&mut agent);
    if given.is_none() && context.profile.provider != ProviderKind::Binboi {
        let user = client.whoami()?;
        // The token says the same where it is handed out.
        let ended = client.status().ok().filter(|status| status.token_served);
        print(context, user.as_ref(), ended.as_ref());
        return Ok(ExitCode::SUCCESS);
    }
    let token = given.as_ref().map(|given| given.token.clone());
    let inspection = progress::during(progress::SERVER, || client.inspect(token))?;
    accepted(context, &inspection, given.as_ref())
}

/// What the server said of a token that was looked at because of this command.
fn accepted(
    context: &Context,
    inspection: &Inspection,
    given: Option<&GivenToken>,
) -> Result<ExitCode, Failure> {
    let source = source(context, given);
    if inspection.verdict == Verdict::Refused {
        let hint = match given {
            Some(_) => "Put another one there, or take it away to use the session's.".to_owned(),
            None => format!("If it stays so, run `{}`; nothing was removed.", context.command("login")),
        };
        return Err(Failure::new(
            Code::Refused,
            format!("The server refuses the token from {source}."),
            hint,
        ));
    }
    if context.options.json {
        output::json(&json!({
            "authenticated": true, "user": inspection.user, "about": inspection.about,
            "verdict": inspection.verdict, "source": source,
        }));
    } else if context.profile.provider == ProviderKind::Binboi {
        let prefix = given.map(|given| render::binboi::prefix(&given.token));
        output::line(render::binboi::whoami(inspection, prefix.as_deref(), &source));
    } else if inspection.verdict == Verdict::Untold {
        output::line(format_args!("there is a token from {source}; this server does not say whose"));
    } else {
        print(context, inspection.user.as_ref(), None);
    }
    Ok(ExitCode::SUCCESS)
}

fn source(context: &Context, given: Option<&GivenToken>) -> String {
    match given {
        Some(given) => output::origin(&given.origin),
        None => context.profile.session_file.to_string_lossy().into_owned(),
    }
}

fn print(context: &Context, user: Option<&User>, ended: Option<&Status>) {
    if context.options.json {
        let mut line = json!({ "authenticated": true, "user": user });
        if let Some(status) = ended {
            line["session_ended"] = json!(status.reason);
        }
        return output::json(&line);
    }
    output::line(user.map_or_else(|| "signed in; this server does not say who".to_owned(), output::user));
    if let Some(status) = ended {
        let why = status.reason.as_deref().unwrap_or_default();
        output::session_ended(why, status.access_expires_at, &context.command("login"));
    }
}
