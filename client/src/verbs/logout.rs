//! `everkey auth logout`: the local session is gone first; then what the server knows of it.

use crate::args::Invocation;
use crate::{agent, show};
use everkey_proto::reply::Revocation;
use everkey_proto::{Failure, Reply, Verb};
use serde_json::json;
use std::process::ExitCode;

pub fn run(invocation: &Invocation) -> Result<ExitCode, Failure> {
    let Reply::LoggedOut(revocation) = agent::ask(&mut agent::connect()?, invocation, Verb::Logout)? else {
        return Err(agent::beside_the_point());
    };
    if invocation.json {
        show::json(&json!({ "authenticated": false, "revocation": revocation }));
    } else {
        show::out(match revocation {
            Revocation::NothingToDo => "Nobody was signed in.",
            Revocation::Revoked => "Signed out. The api-server has revoked the session.",
            Revocation::Queued => {
                "Signed out here. The api-server can't be reached; the agent will go on telling it for seven days."
            }
            Revocation::NotConfirmed => {
                "Signed out here. The api-server did not confirm that it has revoked the session."
            }
        });
    }
    Ok(ExitCode::SUCCESS)
}
