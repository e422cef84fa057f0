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
    /// Whether its program file was replaced or removed since it started, as by an upgrade.
    #[serde(default)]
    pub replaced: bool,
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
    /// Where that process comes from, if it was still there to be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CalledFrom>,
}

/// Where a process comes from, as the system says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledFrom {
    /// The folder that it works in.
    pub folder: Option<String>,
    /// Who started it, the nearest first, up to the terminal's first program or the unit's.
    pub parents: Vec<ParentProcess>,
    /// Its terminal, such as `/dev/pts/3`.
    pub terminal: Option<String>,
    /// Its systemd unit.
    pub unit: Option<String>,
}

/// A process that started another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentProcess {
    /// Its process id.
    pub pid: i32,
    /// What it runs.
    pub program: Option<String>,
    /// The folder that it works in, of the nearest only.
    pub folder: Option<String>,
}

/// A part of the access log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPage {
    /// Tokens that were handed out, the newest first.
    pub accesses: Vec<Access>,
    /// How many there are in the asked time, on all pages.
    pub total: u64,
}
