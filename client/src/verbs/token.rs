//! `everkey auth token`: a valid access token on stdout and nothing else.

use crate::args::Invocation;
use crate::{agent, show};
use everkey_proto::reply::Short;
use everkey_proto::{Failure, Reply, Verb};
use serde_json::json;
use std::process::ExitCode;

pub fn run(invocation: &Invocation, min_validity_secs: u32) -> Result<ExitCode, Failure> {
    let verb = Verb::Token { min_validity_secs };
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
        println!("{}", token.access_token.expose());
    }
    match token.short {
        Some(Short::Lifetime) => {
            eprintln!(
                "warning: the api-server never gives a token that long; it expires {}",
                show::when(expires)
            );
        }
        Some(Short::NoRefresh) => {
            eprintln!("warning: no fresher token can be had right now; it expires {}", show::when(expires));
        }
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}
