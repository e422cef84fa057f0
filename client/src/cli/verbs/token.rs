//! `everkey auth token`: a valid access token on stdout and nothing else.

use crate::cli::context::Context;
use crate::cli::input::{self, Echo};
use crate::cli::show;
use everkey_client::{Failure, Short};
use everkey_proto::Code;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

pub fn run(context: &Context) -> Result<ExitCode, Failure> {
    let given = context.given_token()?;
    if context.options().refused {
        return better(context);
    }
    if let Some(given) = given {
        print(context, &json!({ "source": show::origin(&given.origin) }), &given.token, None);
        return Ok(ExitCode::SUCCESS);
    }
    let mut agent = context.agent()?;
    let min_validity = Duration::from_secs(context.options().min_validity.unwrap_or(0).into());
    let token = context.account(&mut agent).token(min_validity)?;
    hand_out(context, &token);
    Ok(ExitCode::SUCCESS)
}

/// `--refused -`: the token on standard input got a 401 though it should be valid (N29).
fn better(context: &Context) -> Result<ExitCode, Failure> {
    let refused = input::answer("Refused token: ", Echo::Hidden)?.unwrap_or_default();
    if let Some(given) =
        context.given_token()?.filter(|given| given.token.expose() == refused.expose().trim())
    {
        return Err(Failure::new(
            Code::Refused,
            format!("That token comes from {}, so there is no better one.", show::origin(&given.origin)),
            "Put another one there, or take it away to use the session's.",
        ));
    }
    let mut agent = context.agent()?;
    let token = context.account(&mut agent).better_than(&refused)?;
    hand_out(context, &token);
    Ok(ExitCode::SUCCESS)
}

fn hand_out(context: &Context, token: &everkey_client::Token) {
    let mut more = json!({ "expires_at": token.expires_at });
    if let Some(short) = token.short {
        more["short"] = json!(short);
    }
    print(context, &more, &token.access_token, token.expires_at);
    let expires = token.expires_at.map_or_else(String::new, |at| format!("; it expires {}", show::when(at)));
    match token.short {
        Some(Short::Lifetime) => {
            show::err(format_args!("warning: the api-server never gives a token that long{expires}"));
        }
        Some(Short::NoRefresh) => {
            show::err(format_args!("warning: no fresher token can be had right now{expires}"));
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
    if !context.json() {
        return show::out(token.expose());
    }
    let mut line = json!({ "access_token": token, "token_type": "Bearer", "expires_at": expires_at });
    for (key, value) in more.as_object().into_iter().flatten() {
        line[key] = value.clone();
    }
    show::json(&line);
}
