//! What is known and kept about a re-audit reminder.

use crate::trouble::StoreTrouble;
use serde::{Deserialize, Serialize};

/// What `next-audit.json` holds. It outlives sessions, and counts only for whoever it was set for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
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
    pub told: Option<Reminder>,
    /// The one that the api-server was told of last.
    #[serde(default)]
    pub upstream: Option<Reminder>,
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
    Set(Reminder),
    /// This one was cleared.
    Clear(Reminder),
}

/// What `next-audit.json` turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundReminder {
    /// There is none.
    Missing,
    /// A reminder.
    There(Reminder),
    /// Not a reminder; it is left alone, and replaced when one is set.
    Garbage,
    /// Can't be used.
    Unusable(StoreTrouble),
}
