//! What a check brings: rows for people, values for programs, and what is wrong.

use super::finding::Finding;
use serde_json::Value;

/// A part of the table, in the order in which it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableSection {
    Agent,
    Service,
    Files,
    Log,
    Setup,
    /// A profile and its session file, since one name may have several.
    Profile(String, String),
}

/// The outcome of one check, or of a part of it.
#[derive(Debug)]
pub struct Checked {
    pub section: TableSection,
    /// Names and values of the table.
    pub rows: Vec<(String, String)>,
    /// The same for programs, each under a name of its own.
    pub facts: Vec<(&'static str, Value)>,
    pub findings: Vec<Finding>,
}

impl Checked {
    pub fn of(section: TableSection) -> Self {
        Self { section, rows: Vec::new(), facts: Vec::new(), findings: Vec::new() }
    }

    pub fn row(&mut self, name: &str, value: impl Into<String>) {
        self.rows.push((name.to_owned(), value.into()));
    }
}
