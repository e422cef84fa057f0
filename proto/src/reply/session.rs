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
}

/// A session that is fresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// Unix seconds at which the access token expires.
    pub access_expires_at: u64,
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
