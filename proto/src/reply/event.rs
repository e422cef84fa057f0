//! What can happen.

use super::agent::CalledFrom;
use super::reminder::Reminder;
use super::session::User;
use serde::{Deserialize, Serialize};

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
    pub what: EventKind,
}

/// What can happen to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
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
        /// What the program calls itself in its hello. Nobody has checked it.
        #[serde(default)]
        client: Option<String>,
        /// Where that process comes from, if it was still there to be looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<CalledFrom>,
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
    /// A sign-in may be needed before long. Nothing has ended yet.
    SignInAhead {
        /// Why, in words.
        why: String,
        /// Unix seconds at which it may be needed, if that is known.
        by: Option<u64>,
    },
}
