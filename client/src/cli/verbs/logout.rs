//! `everkey logout`: removes the local session first; then prints what the server knows of it.

use crate::cli::context::Context;
use crate::cli::every_account;
use crate::cli::terminal::{output, progress};
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use everkey_client::{Failure, LoggedOut, Revocation};
use everkey_config::ProviderKind;
use serde_json::json;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    all: bool,
}

const OPTIONS: &[VerbOption<Args>] = &[
    rows::profile(),
    VerbOption::flag("all", "of every account in use", |args| args.all = true),
    rows::json(),
    rows::server(),
    rows::api(),
    rows::server_url(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey logout
  everkey logout --profile achilles
  everkey logout --all

Usage: everkey logout [OPTIONS]

Options:
{options}

The session on this machine is gone at once, even without a network; the agent
goes on trying to revoke it at the server, for seven days. Where a server has
no way to revoke a session, this says so.
",
        OPTIONS,
    )
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read_options(OPTIONS)?;
    if parsed.own.all {
        return every_account::run(parsed.shared, logout);
    }
    let context = Context::new(parsed.shared)?;
    Ok(logout(&context).map_err(|failure| context.reword(failure))?)
}

fn logout(context: &Context) -> Result<ExitCode, Failure> {
    let mut agent = context.agent()?;
    let mut client = context.client(&mut agent);
    let logged_out = progress::during(progress::SERVER, || client.logout())?;
    // dot-ai keeps its static token, and whoever signs out should know that.
    let left = match context.profile.provider {
        ProviderKind::DotAi => client.status().ok().and_then(|status| status.masked_static_token),
        _ => None,
    };
    let variable = context.given_token().ok().flatten().map(|given| output::origin(&given.origin));
    if context.options.json {
        output::json(&json!({
            "profile": context.profile.name, "authenticated": false, "revocation": logged_out.revocation, "why": logged_out.why,
            "static_token_kept": left.is_some(),
        }));
        return Ok(ExitCode::SUCCESS);
    }
    output::line(sentence(context.profile.provider, &logged_out));
    if let Some(masked) = left {
        let file = context.profile.session_file.display();
        output::line(format_args!(
            "The static token {} stays in {file} (auth_token).",
            output::plain(&masked)
        ));
    }
    if let Some(variable) = variable {
        output::line(format_args!("{variable} is still set, and its token goes on being used."));
    }
    Ok(ExitCode::SUCCESS)
}

fn sentence(provider: ProviderKind, logged_out: &LoggedOut) -> String {
    let signed_out = match provider {
        ProviderKind::Achilles => "✓ Logged out. Tokens cleared.",
        ProviderKind::Failproofai | ProviderKind::Binboi | ProviderKind::DotAi | ProviderKind::Oauth => {
            "Signed out here."
        }
    };
    match logged_out.revocation {
        Revocation::NothingToDo => "Nobody was signed in.".to_owned(),
        Revocation::Revoked if provider == ProviderKind::Achilles => signed_out.to_owned(),
        Revocation::Revoked => "Signed out. The api-server has revoked the session.".to_owned(),
        Revocation::Queued => format!(
            "{signed_out} The api-server can't be reached; the agent will go on telling it for seven days."
        ),
        Revocation::NotConfirmed => {
            let again =
                |why: &String| format!(" {} The agent will go on asking for seven days.", output::plain(why));
            let again = logged_out.why.as_ref().map(again).unwrap_or_default();
            format!("{signed_out} The api-server did not confirm that it has revoked the session.{again}")
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
    fn what_could_not_be_revoked_is_reported() {
        let logged_out = LoggedOut { revocation: Revocation::Impossible, why: None };
        let said = |provider| sentence(provider, &logged_out);
        assert!(said(ProviderKind::Achilles).starts_with("✓ Logged out. Tokens cleared.\n"));
        for provider in
            [ProviderKind::Achilles, ProviderKind::DotAi, ProviderKind::Oauth, ProviderKind::Binboi]
        {
            assert!(said(provider).contains("has no way to"), "{provider:?}");
        }
    }

    #[test]
    fn what_the_server_answered_instead_is_said() {
        let why = Some("The api-server refused (\u{1b}[31minvalid_client).".to_owned());
        let said = sentence(ProviderKind::Oauth, &LoggedOut { revocation: Revocation::NotConfirmed, why });
        assert_eq!(
            said,
            "Signed out here. The api-server did not confirm that it has revoked the session. \
             The api-server refused ([31minvalid_client). The agent will go on asking for seven days."
        );
    }
}
