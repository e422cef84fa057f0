//! One message, one line, one object. Errors never quote the input: it may hold a secret.

use serde::Serialize;

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not JSON, or not of the documented shape.
    #[error("the line is not a message as proto/README.md describes it (column {column})")]
    Shape {
        /// Where reading stopped, from 1.
        column: usize,
    },
    /// A value is a word that a newer peer may know, and this build does not.
    #[error("the line has a word that this version does not know (column {column})")]
    UnknownWord {
        /// Where reading stopped, from 1.
        column: usize,
    },
    /// There is no such request in this version.
    #[error("this version knows no such \"request\"")]
    UnknownRequest,
    /// The request lacks a field that its kind needs.
    #[error("the request needs the field \"{0}\"")]
    Missing(&'static str),
    /// The request has a field that means nothing to its kind.
    #[error("the request takes no field \"{0}\"")]
    Superfluous(&'static str),
}

impl LineError {
    /// What is wrong, in a part of the line that comes after so many bytes.
    pub(super) fn at(e: &serde_json::Error, before: usize) -> Self {
        let column = before + e.column();
        // serde has no kind for this, only these words; the rest of its text quotes the input.
        if e.to_string().starts_with("unknown variant") {
            Self::UnknownWord { column }
        } else {
            Self::Shape { column }
        }
    }
}

/// Reads an object. serde alone would also take a list of a struct's fields in order.
pub(super) fn read<'a, T: serde::Deserialize<'a>>(line: &'a [u8]) -> Result<T, LineError> {
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(LineError::Shape { column: 1 });
    }
    serde_json::from_slice(line).map_err(|e| LineError::at(&e, 0))
}

/// The line of a message, newline included.
pub fn write(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}
