//! What the agent finds where it looks at itself and at the way to each server.

use super::status::InForce;
use serde::{Deserialize, Serialize};

/// How the agent is, and how far it gets to each profile's server. Nothing was changed for it, and no token was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    /// Its version.
    pub version: String,
    /// Its program file, if the system says.
    pub program: Option<String>,
    /// Whether another file, or none, is in that file's place by now.
    pub program_replaced: bool,
    /// Whether a service manager started it.
    pub is_service: bool,
    /// What keeps the process from what it needs not do, one line each; none means that nothing is in force.
    pub sandbox: Vec<String>,
    /// Every profile that somebody uses, and the default one.
    pub profiles: Vec<ExaminedProfile>,
}

/// How far the agent gets to the server of one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExaminedProfile {
    /// Its name.
    pub profile: String,
    /// Its session file.
    pub session_file: String,
    /// The server that was asked.
    pub server: String,
    /// The proxy on the way there, if there is one.
    pub proxy: Option<InForce>,
    /// Where the certificates are that are trusted in place of the system's, if anywhere.
    pub certificates: Vec<InForce>,
    /// Whether the agent looks after it, so that its `status` can be asked for without opening it.
    pub is_open: bool,
    /// Unix seconds of the last refresh, if the agent remembers one.
    pub last_refresh_at: Option<u64>,
    /// What came of it.
    pub reach: Reach,
    /// How long that took, in milliseconds.
    pub millis: u32,
}

/// How far a request without a token got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// To an answer.
    Answered {
        /// Its HTTP status.
        status: u16,
        /// The server's time in unix seconds, by its `Date`, if there was one.
        date: Option<u64>,
        /// This machine's time then.
        received_at: u64,
    },
    /// Not through this step.
    Stuck {
        /// Which one.
        step: ReachStep,
        /// Why, in words.
        why: String,
    },
}

/// The steps of a request, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachStep {
    /// The host's address.
    Name,
    /// The connection, straight to the server.
    Connection,
    /// The connection, by way of a proxy.
    Proxy,
    /// The certificate, which has expired or is not valid yet.
    CertificateTime,
    /// The certificate, which is not trusted or another host's.
    Certificate,
    /// The answer.
    Answer,
}
