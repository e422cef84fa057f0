//! What a person at the terminal is told when a command can't go on: what happened, and what to do.

use std::fmt;

/// One line saying what happened and one saying what to do about it.
#[derive(Debug)]
pub struct CommandError {
    what: String,
    remedy: String,
}

impl CommandError {
    /// What happened and what to do. Neither text may hold a secret.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: one_line(what.into()), remedy: one_line(remedy.into()) }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.what, self.remedy)
    }
}

impl std::error::Error for CommandError {}

/// Text from libraries may hold line breaks or terminal escapes; both are one line.
fn one_line(text: String) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
