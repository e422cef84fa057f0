//! The kinds of server there are, by name. What each speaks is the agent's business.

use everkey_proto::SignInMethod;
use std::str::FromStr;

/// What a profile's server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderKind {
    /// Email codes and rotating sessions.
    Failproofai,
    /// Device codes and rotating sessions.
    Achilles,
    /// Tokens made in a dashboard.
    Binboi,
    /// OAuth in the browser, without refresh.
    DotAi,
    /// Any OAuth 2 or OpenID Connect server.
    Oauth,
}

/// There is no provider of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no provider has this name")]
pub struct UnknownProvider;

impl FromStr for ProviderKind {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(UnknownProvider)
    }
}

impl ProviderKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Failproofai, Self::Achilles, Self::Binboi, Self::DotAi, Self::Oauth];

    /// Its name, as configuration and status write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failproofai => "failproofai",
            Self::Achilles => "achilles",
            Self::Binboi => "binboi",
            Self::DotAi => "dot-ai",
            Self::Oauth => "oauth",
        }
    }

    /// Whether a profile may name this way. A client that signs in as itself is never offered to a person.
    pub fn allows(self, scheme: SignInMethod) -> bool {
        self.schemes().contains(&scheme) || (self == Self::Oauth && scheme == SignInMethod::Client)
    }

    /// The ways in which a person signs in; the first unless a profile says otherwise.
    pub fn schemes(self) -> &'static [SignInMethod] {
        match self {
            Self::Failproofai => &[SignInMethod::Otp],
            Self::Achilles => &[SignInMethod::Device],
            Self::Binboi => &[SignInMethod::Token],
            Self::DotAi => &[SignInMethod::Browser],
            Self::Oauth => &[SignInMethod::Browser, SignInMethod::Device],
        }
    }

    /// The server to use where none is configured; none for `oauth`, which always names its own.
    pub fn default_server(self) -> Option<&'static str> {
        match self {
            Self::Failproofai => Some("https://api.befailproof.ai"),
            Self::Achilles => Some("http://localhost:3000"),
            Self::Binboi => Some("https://api.binboi.com"),
            Self::DotAi => Some("http://localhost:3456"),
            Self::Oauth => None,
        }
    }
}
