//! Telling the person that a reminder is due: a notification, and the command that they configured.
//! The agent only hands an errand to a helper program; the bus and the command are no business of its process.

mod command;
mod environment;
mod handing;
pub mod helper;
mod notification;

pub use handing::hand_over;

use serde::{Deserialize, Serialize};

/// What the helper is to do: one JSON object on its stdin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// Unix seconds at which the reminder was due.
    pub at: u64,
    /// Whom it was set for.
    pub email: String,
    /// The program to run, with its arguments.
    pub command: Option<Vec<String>>,
}

/// The line that the helper writes once it listens.
const READY: &[u8] = b"ready\n";
