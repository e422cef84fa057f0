//! `everkey auth token`: a valid access token on stdout and nothing else.

use super::login;
use crate::args::Invocation;
use crate::{agent, show};
use everkey_proto::reply::Short;
use everkey_proto::{Failure, Reply, Verb};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::process::ExitCode;

pub fn run(invocation: &Invocation, min_validity_secs: u32) -> Result<ExitCode, Failure> {
    hand_out(invocation, Verb::Token { min_validity_secs })
}

/// `--refused -`: the token on standard input got a 401 though it should be valid (N29).
pub fn better(invocation: &Invocation) -> Result<ExitCode, Failure> {
    let refused = login::read_answer("Refused token: ", login::Echo::Hidden)?.unwrap_or_default();
    let digest = Sha256::digest(refused.expose().trim());
    let than = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hand_out(invocation, Verb::Better { than })
}

fn hand_out(invocation: &Invocation, verb: Verb) -> Result<ExitCode, Failure> {
    let Reply::Token(token) = agent::ask(&mut agent::connect()?, invocation, verb)? else {
        return Err(agent::beside_the_point());
    };
    let expires = token.expires_at;
    if invocation.json {
        let mut line =
            json!({ "access_token": token.access_token, "token_type": "Bearer", "expires_at": expires });
        if let Some(short) = token.short {
            line["short"] = json!(short);
        }
        show::json(&line);
    } else {
        show::out(token.access_token.expose());
    }
    match token.short {
        Some(Short::Lifetime) => {
            show::err(format_args!(
                "warning: the api-server never gives a token that long; it expires {}",
                show::when(expires)
            ));
        }
        Some(Short::NoRefresh) => {
            show::err(format_args!(
                "warning: no fresher token can be had right now; it expires {}",
                show::when(expires)
            ));
        }
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}
