//! What went wrong, and making it.

use super::hint::{self, Hint};
use super::under_way::SignInUnderWay;
use serde::{Deserialize, Serialize};

/// What went wrong: a code for programs, a sentence for people, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable; programs decide by it.
    pub code: Code,
    /// What happened, one line.
    pub message: String,
    /// What helps.
    #[serde(deserialize_with = "hint::read")]
    pub hint: Hint,
    /// Seconds until it is worth trying again, if that is known.
    pub retry_after_secs: Option<u32>,
    /// What the api-server answered, if this is its answer.
    pub answer: Option<ServerAnswer>,
    /// The sign-in that is under way, if that is what is in the way.
    #[serde(default)]
    pub under_way: Option<Box<SignInUnderWay>>,
}

/// An api-server's answer to a sign-in that did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Its own code for what is wrong; `http_STATUS` where it gives none.
    pub code: String,
}

/// Stable error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Nobody is signed in.
    NotSignedIn,
    /// The session has ended; only a new sign-in helps.
    NeedsLogin,
    /// The caller counts on another server or session file than the agent uses.
    Mismatch,
    /// There is no such profile.
    UnknownProfile,
    /// The request makes no sense.
    BadRequest,
    /// There is no such flow, or it is over.
    FlowGone,
    /// The account changed while the request was under way.
    AccountChanged,
    /// The api-server can't be reached, or makes no sense.
    Offline,
    /// The answer did not come in time.
    Timeout,
    /// The api-server refused.
    Refused,
    /// The api-server asks to wait.
    RateLimited,
    /// A local file or folder is in the way.
    Storage,
    /// The agent is full or shutting down.
    Busy,
    /// Agent and client have no protocol version in common.
    Version,
    /// The agent can't be reached.
    NoAgent,
    /// Another sign-in of this profile is under way.
    InProgress,
    /// Somebody has ended this sign-in, or begun another in its place.
    Cancelled,
}

impl Code {
    /// The exit code of a command that ends with this failure.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NotSignedIn | Self::NeedsLogin | Self::AccountChanged => 1,
            Self::Mismatch
            | Self::UnknownProfile
            | Self::BadRequest
            | Self::FlowGone
            | Self::InProgress
            | Self::Cancelled => 2,
            Self::Busy | Self::Version | Self::NoAgent => 3,
            Self::Offline | Self::Timeout => 4,
            Self::Refused => 5,
            Self::RateLimited => 6,
            Self::Storage => 7,
        }
    }
}

impl Failure {
    /// A failure of that code: what happened, and what to do.
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            retry_after_secs: None,
            answer: None,
            under_way: None,
        }
    }
}
