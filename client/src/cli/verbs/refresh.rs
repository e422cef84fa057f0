//! `everkey auth refresh`: refreshes now and prints the new expiry.

use crate::cli::context::Context;
use crate::cli::show;
use everkey_client::{Failure, beside_the_point};
use everkey_proto::{Reply, Verb};
use serde_json::json;
use std::process::ExitCode;

pub fn run(context: &Context) -> Result<ExitCode, Failure> {
    let mut agent = context.agent()?;
    let force = context.options().force;
    let Reply::Refreshed { access_expires_at } = context.account(&mut agent).ask(Verb::Refresh { force })?
    else {
        return Err(beside_the_point());
    };
    if context.json() {
        show::json(&json!({ "access_expires_at": access_expires_at }));
    } else {
        show::out(format_args!("Refreshed; the access token expires {}.", show::when(access_expires_at)));
    }
    Ok(ExitCode::SUCCESS)
}
