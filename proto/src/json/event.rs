//! An event as a line of JSON: `{"event":"refreshed","id":7,"at":1,"profile":"failproofai","access_expires_at":2}`.
//! Types of their own, because frames carry no tags and no flattened fields.

use crate::reply::{CalledFrom, Event, EventKind, Reminder, User};
use serde::{Deserialize, Serialize};

/// See [`Event`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    id: u64,
    at: u64,
    profile: String,
    #[serde(flatten)]
    what: What,
}

/// See [`EventKind`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum What {
    SignedIn {
        user: Option<User>,
    },
    SignedOut {
        why: String,
    },
    Refreshed {
        access_expires_at: Option<u64>,
    },
    Offline {
        why: String,
    },
    NeedsLogin {
        why: String,
    },
    Adopted {
        user: Option<User>,
    },
    FileTrouble {
        why: String,
    },
    Handed {
        pid: i32,
        program: Option<String>,
        client: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<CalledFrom>,
    },
    ReminderSet {
        reminder: Reminder,
    },
    ReminderCleared,
    ReminderDue {
        reminder: Reminder,
    },
    SignInAhead {
        why: String,
        by: Option<u64>,
    },
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        let Event { id, at, profile, what } = event;
        let what = match what {
            EventKind::SignedIn { user } => What::SignedIn { user },
            EventKind::SignedOut { why } => What::SignedOut { why },
            EventKind::Refreshed { access_expires_at } => What::Refreshed { access_expires_at },
            EventKind::Offline { why } => What::Offline { why },
            EventKind::NeedsLogin { why } => What::NeedsLogin { why },
            EventKind::Adopted { user } => What::Adopted { user },
            EventKind::FileTrouble { why } => What::FileTrouble { why },
            EventKind::Handed { pid, program, client, from } => What::Handed { pid, program, client, from },
            EventKind::ReminderSet { reminder } => What::ReminderSet { reminder },
            EventKind::ReminderCleared => What::ReminderCleared,
            EventKind::ReminderDue { reminder } => What::ReminderDue { reminder },
            EventKind::SignInAhead { why, by } => What::SignInAhead { why, by },
        };
        Self { id, at, profile, what }
    }
}

impl From<EventLine> for Event {
    fn from(line: EventLine) -> Self {
        let EventLine { id, at, profile, what } = line;
        let what = match what {
            What::SignedIn { user } => EventKind::SignedIn { user },
            What::SignedOut { why } => EventKind::SignedOut { why },
            What::Refreshed { access_expires_at } => EventKind::Refreshed { access_expires_at },
            What::Offline { why } => EventKind::Offline { why },
            What::NeedsLogin { why } => EventKind::NeedsLogin { why },
            What::Adopted { user } => EventKind::Adopted { user },
            What::FileTrouble { why } => EventKind::FileTrouble { why },
            What::Handed { pid, program, client, from } => EventKind::Handed { pid, program, client, from },
            What::ReminderSet { reminder } => EventKind::ReminderSet { reminder },
            What::ReminderCleared => EventKind::ReminderCleared,
            What::ReminderDue { reminder } => EventKind::ReminderDue { reminder },
            What::SignInAhead { why, by } => EventKind::SignInAhead { why, by },
        };
        Self { id, at, profile, what }
    }
}
