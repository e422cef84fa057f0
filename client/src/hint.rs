//! Hints in words, for programs whose people have a terminal at hand.

use crate::environment;
use crate::precedence::rules;
use everkey_config::ProviderKind;
use everkey_proto::SignInMethod;
use everkey_proto::reply::Hint;

/// A hint as a sentence that names everkey's own commands.
pub fn hint_text(hint: &Hint) -> String {
    hint_text_with(hint, |command| format!("everkey auth {command}"), None)
}

/// The same with commands as `command` writes them (`login`, `refresh --force`), for a profile of this provider.
pub fn hint_text_with(
    hint: &Hint,
    command: impl Fn(&str) -> String,
    provider: Option<ProviderKind>,
) -> String {
    let login = command("login");
    match hint {
        Hint::Advice(sentence) => sentence.clone(),
        Hint::Login => format!("Run `{login}`."),
        Hint::LoginIfRefused => format!("If the server refuses it, run `{login}`."),
        Hint::Whoami => format!("Run `{}` to see who is signed in now.", command("whoami")),
        Hint::Status => format!("Try again; `{}` shows what the agent is doing.", command("status")),
        Hint::ForceRefresh => format!(
            "A token that is refused so soon is refused for another reason; `{}` gets another all the same.",
            command("refresh --force")
        ),
        Hint::OmitServer => {
            format!("{}, or run `{login}` to sign in there.", omit_server(provider, environment::text))
        }
        Hint::OmitSessionFile => {
            "Unset FAILPROOFAI_AUTH_DIR, or run `everkey agent stop` and try again with it set.".to_owned()
        }
        Hint::OmitScheme => "Leave out --scheme (or --token).".to_owned(),
        Hint::UseScheme(
            scheme @ (SignInMethod::Otp
            | SignInMethod::Device
            | SignInMethod::Browser
            | SignInMethod::Token
            | SignInMethod::Client),
        ) => {
            format!("Try --scheme {}.", scheme.as_str())
        }
        Hint::AddClientId => {
            "Ask whoever runs the server for a client id, and add the profile with --client-id.".to_owned()
        }
        Hint::AddProfile { known } => {
            format!("There is: {}. `everkey profile add` adds one.", known.join(", "))
        }
        Hint::NameReminderProfile => {
            "Reminders are failproofai's: leave out --profile, or name a profile of that provider.".to_owned()
        }
        Hint::CheckServer => {
            format!("Check the address ({}), or sign in to the network you are on.", named(provider))
        }
        Hint::CheckNetwork => {
            format!("Check your network; another server is named with {}.", named(provider))
        }
        Hint::ReplaceSessionFile => {
            format!("Move it away, or run `{}` to remove it; then `{login}`.", command("logout"))
        }
        Hint::HaveSessionFileRemoved => format!("Have its owner remove it, then run `{login}`."),
        Hint::StopOtherAgent => "Stop the other agent (`everkey agent stop` in its environment).".to_owned(),
        Hint::Unknown => "The agent is newer than this program; update everkey to read its hint.".to_owned(),
    }
}

/// How no server is named: by the variable that is set, else by the option.
fn omit_server(provider: Option<ProviderKind>, variable: impl Fn(&str) -> Option<String>) -> String {
    let providers = ProviderKind::ALL.into_iter().filter(|one| provider.is_none_or(|only| only == *one));
    let names = providers.flat_map(|provider| rules(provider).server_variables);
    match names.copied().find(|name| variable(name).is_some()) {
        Some(name) => format!("Unset {name}"),
        None => "Leave out --server".to_owned(),
    }
}

/// What names the server of a profile.
fn named(provider: Option<ProviderKind>) -> &'static str {
    match provider {
        None | Some(ProviderKind::Failproofai) => "FAILPROOF_API_URL or --server",
        Some(ProviderKind::Binboi) => "BINBOI_API_URL or --server",
        Some(ProviderKind::DotAi) => "DOT_AI_URL or --server",
        Some(ProviderKind::Achilles) => "achilles config set server_url",
        Some(ProviderKind::Oauth) => "the profile in config.toml",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_variable_that_is_set_is_named() {
        let said = |provider, set: &'static str| {
            omit_server(provider, move |name| (name == set).then(|| "https://x".to_owned()))
        };
        assert_eq!(said(None, "BINBOI_API_URL"), "Unset BINBOI_API_URL");
        let failproofai = Some(ProviderKind::Failproofai);
        assert_eq!(said(failproofai, "FAILPROOFAI_API_URL"), "Unset FAILPROOFAI_API_URL");
        assert_eq!(said(failproofai, "BINBOI_API_URL"), "Leave out --server");
    }
}
