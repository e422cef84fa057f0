//! A text that is there at once.

use crate::stream::Redactor;
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
