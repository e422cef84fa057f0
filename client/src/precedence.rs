//! Which token and which server win, where options, variables and files each name one: a row for each provider.

use crate::environment;
use everkey_config::ProviderKind;
use everkey_config::profile::ResolvedProfile;
use everkey_proto::Secret;

/// Where the tool of one provider looks for its token and its server, the first match first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether the option `--token` gives a token for one command.
    pub token_flag: bool,
    /// Variables that give a token for one command.
    pub token_variables: &'static [&'static str],
    /// The fields of the session file that hold a token.
    pub token_fields: &'static [&'static str],
    /// Options that name the server, without dashes.
    pub server_options: &'static [&'static str],
    /// Variables that name the server.
    pub server_variables: &'static [&'static str],
}

/// The places that the provider's own tool documents.
pub fn rules(provider: ProviderKind) -> Rules {
    match provider {
        ProviderKind::Failproofai => Rules {
            token_flag: false,
            token_variables: &[],
            token_fields: &["access_token"],
            server_options: &["server"],
            server_variables: &["FAILPROOF_API_URL", "FAILPROOFAI_API_URL"],
        },
        ProviderKind::Achilles => Rules {
            token_flag: false,
            token_variables: &[],
            token_fields: &["access_token"],
            server_options: &["server"],
            server_variables: &[],
        },
        ProviderKind::Binboi => Rules {
            token_flag: true,
            token_variables: &["BINBOI_AUTH_TOKEN", "BINBOI_TOKEN"],
            token_fields: &["token"],
            server_options: &["server", "api"],
            server_variables: &["BINBOI_API_URL"],
        },
        ProviderKind::DotAi => Rules {
            token_flag: true,
            token_variables: &["DOT_AI_AUTH_TOKEN"],
            token_fields: &["auth_token", "access_token"],
            server_options: &["server-url", "server"],
            server_variables: &["DOT_AI_URL"],
        },
        ProviderKind::Oauth => Rules {
            token_flag: false,
            token_variables: &[],
            token_fields: &["access_token"],
            server_options: &[],
            server_variables: &[],
        },
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An option of the command.
    Option(&'static str),
    /// A variable.
    Variable(&'static str),
    /// `config.toml`, or achilles' `config.json`.
    Configuration,
    /// The sign-in, which pinned it.
    SignIn,
    /// A field of the session file.
    SessionFile(&'static str),
    /// What the system takes if nobody says anything.
    Default,
    /// The agent: its own environment, or where the last sign-in went.
    Agent,
}

/// A token for one command, never written, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenToken {
    /// The token.
    pub token: Secret,
    /// Where it comes from.
    pub origin: Origin,
}

/// Every token that options and environment give, the one that wins first.
pub fn given_tokens(
    provider: ProviderKind,
    option: Option<Secret>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<GivenToken> {
    let rules = rules(provider);
    let option = option.filter(|_| rules.token_flag);
    let option = option.map(|token| GivenToken { token, origin: Origin::Option("--token") });
    let variables = rules.token_variables.iter().filter_map(|name| {
        let token = Secret::new(variable(name)?.trim());
        Some(GivenToken { token, origin: Origin::Variable(name) })
    });
    option.into_iter().chain(variables).collect()
}

/// A server and where it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedServer {
    /// Its address.
    pub server: String,
    /// Where it is named.
    pub origin: Origin,
}

/// Every server that is named for a profile, the one that wins first; the default comes last.
pub fn named_servers(
    profile: &ResolvedProfile,
    option: Option<(&'static str, &str)>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<NamedServer> {
    let named = |server: &str, origin| NamedServer { server: server.trim().to_owned(), origin };
    let variables = rules(profile.provider).server_variables.iter();
    let variables = variables.filter_map(|name| Some(named(&variable(name)?, Origin::Variable(name))));
    let option = option.map(|(name, server)| named(server, Origin::Option(name)));
    let configured = profile.server.as_deref().map(|server| named(server, Origin::Configuration));
    let default = profile.provider.default_server().map(|server| named(server, Origin::Default));
    option.into_iter().chain(variables).chain(configured).chain(default).collect()
}

/// What a caller takes for granted about the agent, by its options and environment.
pub fn expect(profile: &ResolvedProfile, option: Option<(&'static str, &str)>) -> everkey_proto::Expect {
    let named = named_servers(profile, option, environment::text).into_iter().next();
    let named = named.filter(|named| matches!(named.origin, Origin::Option(_) | Origin::Variable(_)));
    let moved = profile.provider == ProviderKind::Failproofai
        && profile.name == everkey_proto::DEFAULT_PROFILE
        && environment::auth_dir().is_some();
    everkey_proto::Expect {
        server: named.map(|named| named.server),
        session_file: moved.then(|| profile.session_file.to_string_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(provider: ProviderKind, server: Option<&str>) -> ResolvedProfile {
        let built_in = ResolvedProfile::built_in(provider.as_str(), provider, "/s".into());
        ResolvedProfile { server: server.map(str::to_owned), ..built_in }
    }

    fn origins(provider: ProviderKind, option: Option<&str>, variables: &[&str]) -> Vec<Origin> {
        let variable = |name: &str| variables.contains(&name).then(|| "t".to_owned());
        given_tokens(provider, option.map(Secret::new), variable).into_iter().map(|t| t.origin).collect()
    }

    #[test]
    fn tokens_come_in_the_order_of_their_contract() {
        use Origin::{Option as Flag, Variable};
        let all = ["BINBOI_AUTH_TOKEN", "BINBOI_TOKEN", "DOT_AI_AUTH_TOKEN"];
        assert_eq!(
            origins(ProviderKind::Binboi, Some("x"), &all),
            [Flag("--token"), Variable("BINBOI_AUTH_TOKEN"), Variable("BINBOI_TOKEN")]
        );
        assert_eq!(origins(ProviderKind::Binboi, None, &["BINBOI_TOKEN"]), [Variable("BINBOI_TOKEN")]);
        assert_eq!(
            origins(ProviderKind::DotAi, Some("x"), &all),
            [Flag("--token"), Variable("DOT_AI_AUTH_TOKEN")]
        );
        assert_eq!(origins(ProviderKind::Failproofai, Some("x"), &all), []);
        assert_eq!(origins(ProviderKind::Oauth, None, &all), []);
    }

    #[test]
    fn servers_come_in_the_order_of_their_contract() {
        let variable = |name: &str| (name == "BINBOI_API_URL").then(|| "https://v".to_owned());
        let all = named_servers(
            &profile(ProviderKind::Binboi, Some("https://c")),
            Some(("--api", "https://o")),
            variable,
        );
        let shown: Vec<_> = all.iter().map(|named| (named.server.as_str(), &named.origin)).collect();
        assert_eq!(
            shown,
            [
                ("https://o", &Origin::Option("--api")),
                ("https://v", &Origin::Variable("BINBOI_API_URL")),
                ("https://c", &Origin::Configuration),
                ("https://api.binboi.com", &Origin::Default),
            ]
        );
        let all = named_servers(&profile(ProviderKind::Failproofai, None), None, |name| {
            (name != "BINBOI_API_URL").then(|| name.to_owned())
        });
        assert_eq!(all[0].server, "FAILPROOF_API_URL");
    }
}
