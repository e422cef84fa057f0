//! `everkey auth whoami`: `EMAIL (ID)`.

use super::explain;
use crate::cli::context::Context;
use crate::cli::{render, show};
use everkey_client::sources::GivenToken;
use everkey_client::{Failure, Inspection, User, Verdict};
use everkey_proto::{Code, ProviderKind};
use serde_json::json;
use std::process::ExitCode;

pub fn run(context: &Context) -> Result<ExitCode, Failure> {
    if context.options().explain {
        return explain::run(context);
    }
    let given = context.given_token()?;
    let mut agent = context.agent()?;
    let mut account = context.account(&mut agent);
    if given.is_none() && context.profile.provider != ProviderKind::Binboi {
        print(context, account.whoami()?.as_ref());
        return Ok(ExitCode::SUCCESS);
    }
    let inspection = account.inspect(given.as_ref().map(|given| given.token.clone()))?;
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
    if context.json() {
        show::json(&json!({
            "authenticated": true, "user": inspection.user, "about": inspection.about,
            "verdict": inspection.verdict, "source": source,
        }));
    } else if context.profile.provider == ProviderKind::Binboi {
        let prefix = given.map(|given| render::binboi::prefix(&given.token));
        show::out(render::binboi::whoami(inspection, prefix.as_deref(), &source));
    } else if inspection.verdict == Verdict::Untold {
        show::out(format_args!("there is a token from {source}; this server does not say whose"));
    } else {
        print(context, inspection.user.as_ref());
    }
    Ok(ExitCode::SUCCESS)
}

fn source(context: &Context, given: Option<&GivenToken>) -> String {
    match given {
        Some(given) => show::origin(&given.origin),
        None => context.profile.session_file.to_string_lossy().into_owned(),
    }
}

fn print(context: &Context, user: Option<&User>) {
    if context.json() {
        show::json(&json!({ "authenticated": true, "user": user }));
    } else {
        show::out(user.map_or_else(|| "signed in; this server does not say who".to_owned(), show::user));
    }
}
