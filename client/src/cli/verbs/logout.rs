//! `everkey auth logout`: the local session is gone first; then what the server knows of it.

use crate::cli::context::Context;
use crate::cli::show;
use everkey_client::{Failure, Revocation};
use everkey_proto::ProviderKind;
use serde_json::json;
use std::process::ExitCode;

pub fn run(context: &Context) -> Result<ExitCode, Failure> {
    let mut agent = context.agent()?;
    let mut account = context.account(&mut agent);
    let revocation = account.logout()?;
    // dot-ai keeps its static token, and whoever signs out should know that.
    let left = match context.profile.provider {
        ProviderKind::DotAi => account.status().ok().and_then(|status| status.masked_static_token),
        _ => None,
    };
    let variable = context.given_token().ok().flatten().map(|given| show::origin(&given.origin));
    if context.json() {
        show::json(&json!({
            "authenticated": false, "revocation": revocation, "static_token_kept": left.is_some(),
        }));
        return Ok(ExitCode::SUCCESS);
    }
    show::out(said(context.profile.provider, revocation));
    if let Some(masked) = left {
        let file = context.profile.session_file.display();
        show::out(format_args!("The static token {} stays in {file} (auth_token).", show::plain(&masked)));
    }
    if let Some(variable) = variable {
        show::out(format_args!("{variable} is still set, and its token goes on being used."));
    }
    Ok(ExitCode::SUCCESS)
}

fn said(provider: ProviderKind, revocation: Revocation) -> String {
    let signed_out = match provider {
        ProviderKind::Achilles => "✓ Logged out. Tokens cleared.",
        ProviderKind::Failproofai | ProviderKind::Binboi | ProviderKind::DotAi | ProviderKind::Oauth => {
            "Signed out here."
        }
    };
    match revocation {
        Revocation::NothingToDo => "Nobody was signed in.".to_owned(),
        Revocation::Revoked if provider == ProviderKind::Achilles => signed_out.to_owned(),
        Revocation::Revoked => "Signed out. The api-server has revoked the session.".to_owned(),
        Revocation::Queued => format!(
            "{signed_out} The api-server can't be reached; the agent will go on telling it for seven days."
        ),
        Revocation::NotConfirmed => {
            format!("{signed_out} The api-server did not confirm that it has revoked the session.")
        }
        Revocation::Impossible if provider == ProviderKind::Binboi => format!(
            "{signed_out} This server has no way to be told: the token stays good until you revoke it in the dashboard."
        ),
        Revocation::Impossible => {
            format!(
                "{signed_out}\nThis server has no way to revoke a session: its tokens stay good until they expire."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_revoked_is_said() {
        let said = |provider| said(provider, Revocation::Impossible);
        assert!(said(ProviderKind::Achilles).starts_with("✓ Logged out. Tokens cleared.\n"));
        for provider in
            [ProviderKind::Achilles, ProviderKind::DotAi, ProviderKind::Oauth, ProviderKind::Binboi]
        {
            assert!(said(provider).contains("has no way to"), "{provider:?}");
        }
    }
}
