//! What a session is for, and how its holder proved who they are.

/// To whom a session's tokens were given. A token of one kind opens nothing of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A tool that signed in on its user's behalf, with everything its user may do.
    FirstParty,
    /// A browser on this server's own pages. It holds a cookie and has no tokens.
    Web,
    /// An OAuth client, with what its user consented to.
    OAuth {
        /// The client's id.
        client: String,
        /// The granted scope: words separated by single spaces.
        scope: String,
    },
    /// The achilles CLI.
    Cli {
        /// The organisation it acts in.
        org: String,
        /// Its user's role there.
        role: String,
    },
}

/// Who brings a refresh token. A token that was given to another holder does not exist for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The first-party routes.
    FirstParty,
    /// An OAuth client, by its id.
    Client(String),
    /// The achilles CLI's routes.
    Cli,
}

impl Grant {
    /// Whether tokens of this grant were given to `holder`.
    pub fn is_of(&self, holder: &Holder) -> bool {
        match (self, holder) {
            (Self::FirstParty, Holder::FirstParty) | (Self::Cli { .. }, Holder::Cli) => true,
            (Self::OAuth { client, .. }, Holder::Client(id)) => client == id,
            (Self::FirstParty | Self::Web | Self::OAuth { .. } | Self::Cli { .. }, _) => false,
        }
    }
}

/// How a person proved who they are when a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// With a code sent by email.
    Otp,
    /// By approving a device code.
    Device,
    /// In a browser, with an authorization code.
    Browser,
}

impl How {
    /// The word for it in the database and in listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Device => "device",
            Self::Browser => "browser",
        }
    }

    /// The one with this word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Otp, Self::Device, Self::Browser].into_iter().find(|how| how.word() == word)
    }
}
