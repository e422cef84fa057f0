//! What the journal beside the session file holds: the intent of a refresh, and its outcome.

use crate::session::{Fingerprint, Session};
use everkey_proto::Secret;
use serde::{Deserialize, Serialize};

/// How a server lets a lost answer be repeated; pinned with the session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// RR-1: the same token with the same key gives the same answer until the successor is used.
    Rr1,
    /// The refresh token stays the same, so nothing can be lost; learnt from an answer without a new one.
    Reusable,
    /// No repeatable answer, but deadlines are kept and the session route tells the generation.
    Probe,
    /// Nothing is promised.
    #[default]
    None,
}

/// The journal's promise, durable before the first byte of a refresh token is sent (I1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The epoch of the session it belongs to.
    pub epoch: u64,
    /// The token that is about to be sent.
    pub parent: Fingerprint,
    /// The one idempotency key that token will ever be sent with (I2).
    pub key: Secret,
    /// The pinned server.
    pub server: String,
    /// Server-clock unix seconds after which the server must ignore the request.
    pub deadline: u64,
    /// What the server promised when the intent was written.
    pub capability: Capability,
    /// How many sends this intent has announced, this one included.
    pub sends: u32,
    /// When the first of them was announced, which is before its first byte was sent.
    #[serde(default)]
    pub begun: Option<Begun>,
}

/// A time of the boot clock that may be read in a later life of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// In which run of the machine.
    pub boot_id: String,
    /// Milliseconds of its boot clock.
    pub at_ms: u64,
    /// The same in unix seconds, by a clock that may jump.
    pub wall: u64,
}

/// What the journal beside the session file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Journal {
    /// Nothing is under way.
    Empty,
    /// A refresh may have been sent.
    Intent(Intent),
    /// A refresh has succeeded; the session file may not show it yet.
    Outcome(Intent, Session),
}
