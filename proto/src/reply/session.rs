//! A session as far as its holder is told: whose it is, its token, what the server says of it.

use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An account at the api-server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The server's identifier, as it writes it.
    pub id: String,
    /// The email address.
    pub email: String,
}

/// An access token with what its holder should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub access_token: Secret,
    /// Unix seconds at which it expires; none if nobody says.
    pub expires_at: Option<u64>,
    /// Why it may be valid for less than was asked, if so.
    pub short: Option<Short>,
    /// Why the session has ended, in words, if it has: this token works to its end, and no other follows it.
    #[serde(default)]
    pub session_ended: Option<String>,
}

/// A session that is fresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// Unix seconds at which the access token expires; none if nobody says.
    #[serde(default, with = "no_expiry")]
    pub access_expires_at: Option<u64>,
}

/// The first version had a number here and said `u64::MAX` where nobody said when. Frames still do; lines have null.
mod no_expiry {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(at: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { at.serialize(to) } else { at.unwrap_or(u64::MAX).serialize(to) }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        let at = if from.is_human_readable() {
            Option::<u64>::deserialize(from)?
        } else {
            Some(u64::deserialize(from)?)
        };
        Ok(at.filter(|at| *at != u64::MAX))
    }
}

/// Why a token is valid for less than was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Short {
    /// The server never gives one that long.
    Lifetime,
    /// A fresher one can't be had right now.
    NoRefresh,
}

/// What a server says of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Whether it accepts it.
    pub verdict: Verdict,
    /// Whose it is, if it says so.
    pub user: Option<User>,
    /// What else it says about them: `name`, `org`, `role`, `plan`, `prefix`.
    pub about: BTreeMap<String, String>,
}

/// Whether a server accepts a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Accepted,
    /// It does not.
    Refused,
    /// It answers, but has no way to say.
    Untold,
}

/// How a sign-out went; the local session is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// Whether the server knows it.
    pub revocation: Revocation,
    /// What the server answered instead of revoking, in a sentence; it is asked again for seven days.
    pub why: Option<String>,
}

/// Whether the server knows that a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// There was no session.
    NothingToDo,
    /// The server has revoked it.
    Revoked,
    /// The server can't be reached; told again for seven days.
    Queued,
    /// The server answered, but not that it has revoked it.
    NotConfirmed,
    /// The server has no way to be told.
    Impossible,
}
