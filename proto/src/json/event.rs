//! An event as a line of JSON: `{"event":"refreshed","id":7,"at":1,"profile":"failproofai","access_expires_at":2}`.
//! Types of their own, because frames carry no tags and no flattened fields.

use crate::reply::{Event, Happening, Reminder, User};
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

/// See [`Happening`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum What {
    SignedIn { user: Option<User> },
    SignedOut { why: String },
    Refreshed { access_expires_at: Option<u64> },
    Offline { why: String },
    NeedsLogin { why: String },
    Adopted { user: Option<User> },
    FileTrouble { why: String },
    Handed { pid: i32, program: Option<String> },
    ReminderSet { reminder: Reminder },
    ReminderCleared,
    ReminderDue { reminder: Reminder },
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        let Event { id, at, profile, what } = event;
        let what = match what {
            Happening::SignedIn { user } => What::SignedIn { user },
            Happening::SignedOut { why } => What::SignedOut { why },
            Happening::Refreshed { access_expires_at } => What::Refreshed { access_expires_at },
            Happening::Offline { why } => What::Offline { why },
            Happening::NeedsLogin { why } => What::NeedsLogin { why },
            Happening::Adopted { user } => What::Adopted { user },
            Happening::FileTrouble { why } => What::FileTrouble { why },
            Happening::Handed { pid, program } => What::Handed { pid, program },
            Happening::ReminderSet { reminder } => What::ReminderSet { reminder },
            Happening::ReminderCleared => What::ReminderCleared,
            Happening::ReminderDue { reminder } => What::ReminderDue { reminder },
        };
        Self { id, at, profile, what }
    }
}

impl From<EventLine> for Event {
    fn from(line: EventLine) -> Self {
        let EventLine { id, at, profile, what } = line;
        let what = match what {
            What::SignedIn { user } => Happening::SignedIn { user },
            What::SignedOut { why } => Happening::SignedOut { why },
            What::Refreshed { access_expires_at } => Happening::Refreshed { access_expires_at },
            What::Offline { why } => Happening::Offline { why },
            What::NeedsLogin { why } => Happening::NeedsLogin { why },
            What::Adopted { user } => Happening::Adopted { user },
            What::FileTrouble { why } => Happening::FileTrouble { why },
            What::Handed { pid, program } => Happening::Handed { pid, program },
            What::ReminderSet { reminder } => Happening::ReminderSet { reminder },
            What::ReminderCleared => Happening::ReminderCleared,
            What::ReminderDue { reminder } => Happening::ReminderDue { reminder },
        };
        Self { id, at, profile, what }
    }
}
