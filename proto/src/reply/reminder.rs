//! The re-audit reminder.

use serde::{Deserialize, Serialize};

/// The re-audit reminder of whoever is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Unix seconds at which it is due.
    pub at: u64,
    /// Whose it is.
    pub email: String,
    /// Unix seconds at which it was set.
    pub set_at: u64,
    /// Whether it is due by now.
    pub due: bool,
    /// Whether the api-server knows it.
    pub upstream: Upstream,
}

/// Whether the api-server knows of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upstream {
    /// It does.
    Told,
    /// It is being told, as often as it takes.
    Pending,
    /// Another program set the reminder, and nobody knows what it told.
    Unknown,
}
