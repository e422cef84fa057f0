//! The reminder, what can happen, and who was handed tokens.

use super::User;
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

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts from 1 in each agent's life.
    pub id: u64,
    /// Unix seconds.
    pub at: u64,
    /// The profile it is about.
    pub profile: String,
    /// What has happened.
    pub what: Happening,
}

/// What can happen to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// Somebody signed in.
    SignedIn {
        /// Who, if the server says so.
        user: Option<User>,
    },
    /// Nobody is signed in any more.
    SignedOut {
        /// Why, in words.
        why: String,
    },
    /// The access token was refreshed.
    Refreshed {
        /// Unix seconds at which the new one expires, if somebody says.
        access_expires_at: Option<u64>,
    },
    /// A refresh failed for a passing reason; it is tried again.
    Offline {
        /// Why, in words.
        why: String,
    },
    /// The session has ended; only a new sign-in helps.
    NeedsLogin {
        /// Why, in words.
        why: String,
    },
    /// A session file that another program wrote was taken over.
    Adopted {
        /// Whose it is, if it says so.
        user: Option<User>,
    },
    /// A file could not be read or written.
    FileTrouble {
        /// What, in words.
        why: String,
    },
    /// A token was handed out.
    Handed {
        /// To which process.
        pid: i32,
        /// What that process ran, as far as the system tells.
        program: Option<String>,
    },
    /// A reminder was set, or found set by another program.
    ReminderSet {
        /// The reminder.
        reminder: Reminder,
    },
    /// The reminder is gone.
    ReminderCleared,
    /// The reminder is due.
    ReminderDue {
        /// The reminder.
        reminder: Reminder,
    },
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
}
