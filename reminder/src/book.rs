//! What is known and kept about a re-audit reminder, and what the file says of it.

use everkey_proto::reply;
use everkey_session::StoreError;
use serde::{Deserialize, Serialize};

/// What `next-audit.json` holds. It outlives sessions, and counts only for whoever it was set for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderRecord {
    /// Unix seconds at which it is due.
    pub next_audit_at: u64,
    /// Whom it was set for.
    pub user_email: String,
    /// Unix seconds at which it was set.
    pub set_at: u64,
}

/// What everkey notes about reminders in a file of its own, so that each is told once and the api-server hears of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderBook {
    /// The one that was told last when it was due.
    #[serde(default)]
    pub told: Option<ReminderRecord>,
    /// The one that the api-server was told of last.
    #[serde(default)]
    pub upstream: Option<ReminderRecord>,
    /// What the api-server has yet to be told.
    #[serde(default)]
    pub owed: Option<Owed>,
    /// What it had yet to be told before that. It still has, should `owed` never have been done.
    #[serde(default)]
    pub before: Option<Owed>,
    /// The api-server at which `owed` was set or cleared; no other is told.
    #[serde(default)]
    pub server: Option<String>,
}

/// What the api-server has yet to be told. Noted before the file changes; one that the file does not bear out was
/// never done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owed {
    /// This one was set.
    Set(ReminderRecord),
    /// This one was cleared.
    Clear(ReminderRecord),
}

/// What `next-audit.json` turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundReminder {
    /// There is none.
    Missing,
    There(ReminderRecord),
    /// Not a reminder; it is left alone, and replaced when one is set.
    Garbage,
    /// Can't be used.
    Unusable(StoreError),
}

impl ReminderBook {
    /// Whether the api-server knows of a reminder that the file holds.
    pub(crate) fn upstream_of(&self, reminder: &ReminderRecord) -> reply::Upstream {
        if matches!(&self.owed, Some(Owed::Set(owed)) if owed == reminder) {
            reply::Upstream::Pending
        } else if self.upstream.as_ref() == Some(reminder) {
            reply::Upstream::Told
        } else {
            reply::Upstream::Unknown
        }
    }

    /// What is owed for a change that the file does not bear out was never done, or is undone: then what was owed before
    /// it still is, if the file bears that out.
    pub(crate) fn believe(&mut self, found: &FoundReminder) {
        let owed = self.owed.take();
        let before = self.before.take();
        self.owed = owed.into_iter().chain(before).find(|owed| owed.is_borne_out_by(found));
    }
}

impl Owed {
    /// Whose reminder it is about.
    pub(crate) fn email(&self) -> &str {
        match self {
            Self::Set(reminder) | Self::Clear(reminder) => &reminder.user_email,
        }
    }

    /// When the api-server is to remind; none for not at all.
    pub(crate) fn due_at(&self) -> Option<u64> {
        match self {
            Self::Set(reminder) => Some(reminder.next_audit_at),
            Self::Clear(_) => None,
        }
    }

    /// Whether the file looks as if this had been done.
    fn is_borne_out_by(&self, found: &FoundReminder) -> bool {
        match (self, found) {
            (Self::Set(set), FoundReminder::There(found)) => set == found,
            // Another user's reminder in its place says nothing against it.
            (Self::Clear(cleared), FoundReminder::There(found)) => cleared.user_email != found.user_email,
            (Self::Set(_), FoundReminder::Missing | FoundReminder::Garbage) => false,
            // Whoever clears garbage wants no reminder, whether or not it could be removed.
            (Self::Clear(_), FoundReminder::Missing | FoundReminder::Garbage) => true,
            (Self::Set(_) | Self::Clear(_), FoundReminder::Unusable(_)) => false,
        }
    }
}
