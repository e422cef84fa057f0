//! `everkey auth refresh`: refreshes now and prints the new expiry.

use crate::args::Invocation;
use crate::{agent, show};
use everkey_proto::{Failure, Reply, Verb};
use serde_json::json;
use std::process::ExitCode;

pub fn run(invocation: &Invocation, force: bool) -> Result<ExitCode, Failure> {
    match agent::ask(&mut agent::connect()?, invocation, Verb::Refresh { force })? {
        Reply::Refreshed { access_expires_at } => {
            if invocation.json {
                show::json(&json!({ "access_expires_at": access_expires_at }));
            } else {
                show::out(format_args!(
                    "Refreshed; the access token expires {}.",
                    show::when(access_expires_at)
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(agent::beside_the_point()),
    }
}
