//! What servers do with a token that comes twice.

use everkey_proto::ReplayRule;
use everkey_session::Capability;

/// What the server does with a token that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// everkey-server: an answer can be had again.
    Rr1,
    /// everkey-server, strict: deadlines and a session route, no repeat.
    Strict,
    /// failproofai, hosted: a repeat signs the user out everywhere.
    RevokesAll,
    /// achilles: a repeat merely fails.
    Rejects,
    /// An OAuth server that leaves the refresh token as it is.
    Reusable,
    /// Each refresh gives a new token, and the old one works on.
    Stays,
    /// The old token works until the new one is used; of two answers only the last counts.
    UntilUsed,
    /// The old token gives the same answer again for so many seconds, and then ends the sign-in.
    Grace(u32),
    /// A repeat ends the sign-in.
    Family,
}

impl Rules {
    pub fn capability(self) -> Capability {
        match self {
            Self::Rr1 => Capability::Rr1,
            Self::Strict => Capability::Probe,
            Self::Reusable => Capability::Reusable,
            Self::RevokesAll
            | Self::Rejects
            | Self::Stays
            | Self::UntilUsed
            | Self::Grace(_)
            | Self::Family => Capability::None,
        }
    }

    /// What its answers say of that: that a token stays is learnt from them, never told.
    pub fn told(self) -> Capability {
        if self.is_ours() { self.capability() } else { Capability::None }
    }

    /// The word for it.
    pub fn word(self) -> ReplayRule {
        match self {
            Self::Rr1 | Self::Strict | Self::RevokesAll => ReplayRule::StrictUser,
            Self::Rejects => ReplayRule::StrictReject,
            Self::Reusable => ReplayRule::NotRotated,
            Self::Stays => ReplayRule::OldStays,
            Self::UntilUsed => ReplayRule::UntilUsed,
            Self::Grace(secs) => ReplayRule::Grace(secs),
            Self::Family => ReplayRule::StrictFamily,
        }
    }

    /// Whether it is our own server: deadlines, generations, `attempt_consumed`.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Rr1 | Self::Strict)
    }

    /// Whether its contract says that access tokens end with their session; of our own server the agent finds it out.
    pub fn is_known_to_end_access(self) -> bool {
        self == Self::RevokesAll
    }

    /// Whether no refresh token is ever used up.
    pub fn keeps_tokens(self) -> bool {
        self == Self::Reusable
    }

    /// Whether a repeat never costs anything, as long as nobody has used the successor.
    pub fn bears_repeats(self) -> bool {
        matches!(self, Self::Rr1 | Self::Reusable | Self::Stays | Self::UntilUsed)
    }
}
