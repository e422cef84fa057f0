//! What a session is for, and how its holder proved who they are.

use std::str::FromStr;

use crate::rules::unknown_value::UnknownValue;

/// To whom a session's tokens were given. A token of one kind opens nothing of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A tool that signed in on its user's behalf, with everything its user may do.
    FirstParty,
    /// A browser on this server's own pages. It holds a cookie and has no tokens.
    Web,
    /// An OAuth client, with what its user consented to.
    OAuth {
        client: String,
        /// The granted scope: words separated by single spaces.
        scope: String,
    },
    /// The achilles CLI.
    Cli { org: String, role: String },
}

/// Who brings a refresh token. A token that was given to another holder does not exist for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenHolder {
    /// The first-party routes.
    FirstParty,
    /// An OAuth client, by its id.
    Client(String),
    /// The achilles CLI's routes.
    Cli,
}

impl SessionKind {
    /// Whether tokens of this grant were given to `holder`.
    pub fn is_of(&self, holder: &TokenHolder) -> bool {
        match (self, holder) {
            (Self::FirstParty, TokenHolder::FirstParty) | (Self::Cli { .. }, TokenHolder::Cli) => true,
            (Self::OAuth { client, .. }, TokenHolder::Client(id)) => client == id,
            (Self::FirstParty | Self::Web | Self::OAuth { .. } | Self::Cli { .. }, _) => false,
        }
    }
}

/// How a person proved who they are when a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofMethod {
    /// With a code sent by email.
    Otp,
    /// By approving a device code.
    Device,
    /// In a browser, with an authorization code.
    Browser,
}

impl ProofMethod {
    /// The word for it in the database and in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Device => "device",
            Self::Browser => "browser",
        }
    }
}

impl FromStr for ProofMethod {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Otp, Self::Device, Self::Browser]
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or(UnknownValue)
    }
}
