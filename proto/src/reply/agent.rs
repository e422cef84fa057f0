//! The agent, and whom it gave tokens.

use serde::{Deserialize, Serialize};

/// What the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Its socket.
    pub socket: String,
    /// Its state folder.
    pub state_dir: String,
}

/// A token that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Unix seconds.
    pub at: u64,
    /// Whose token.
    pub profile: String,
    /// To which process.
    pub pid: i32,
    /// What that process ran, as far as the system tells.
    pub program: Option<String>,
    /// What the program calls itself in its hello. Nobody has checked it.
    #[serde(default)]
    pub client: Option<String>,
}
