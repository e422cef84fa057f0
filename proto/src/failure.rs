//! Making failures.

use crate::{Code, Failure};

impl Failure {
    /// A failure of that code: what happened, and what to do.
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), retry_after_secs: None, answer: None }
    }
}
