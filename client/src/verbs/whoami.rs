//! `everkey auth whoami`: `EMAIL (ID)`.

use crate::args::Invocation;
use crate::{agent, show};
use everkey_proto::{Failure, Reply, Verb};
use serde_json::json;
use std::process::ExitCode;

pub fn run(invocation: &Invocation) -> Result<ExitCode, Failure> {
    match agent::ask(&mut agent::connect()?, invocation, Verb::Whoami)? {
        Reply::Whoami(user) => {
            if invocation.json {
                show::json(&json!({ "authenticated": true, "user": user }));
            } else {
                show::out(format_args!("{} ({})", show::plain(&user.email), show::plain(&user.id)));
            }
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(agent::beside_the_point()),
    }
}
