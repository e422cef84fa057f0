//! Finds secrets in any text and puts `[redacted:KIND]` in their place: one module for logs, errors, reports and pipes.
//! Deliberately absent: files, the network, any other crate of this workspace.
#![forbid(unsafe_code)]

mod assignment;
mod block;
mod name;
mod path;
mod rules;
mod scan;
mod span;
mod stream;
mod value;
mod writer;

pub use stream::Redactor;
pub use writer::{RedactedWriter, log_panics};

use std::borrow::Cow;

/// The text with markers in place of its secrets.
pub fn text(text: &str) -> Cow<'_, str> {
    let redacted = bytes(text.as_bytes());
    if redacted == text.as_bytes() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&redacted).into_owned())
}

/// The same for bytes that need not be text.
pub fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut redactor = Redactor::new();
    let mut out = redactor.push(bytes);
    out.extend(redactor.finish());
    out
}
