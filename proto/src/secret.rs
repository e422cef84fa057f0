//! The only type that holds a secret: zeroised when dropped, never printed.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A token, code or key. `Debug` prints `****`; there is no `Display`.
///
/// It serialises as its text, because frames and session files must carry it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text; the caller's copy is gone.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret text. Every call site is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What may be shown of it: `****` up to 12 characters, else the first 8, `...`, the last 4.
    pub fn masked(&self) -> String {
        let count = self.0.chars().count();
        if count <= 12 {
            return "****".to_owned();
        }
        let head = self.0.chars().take(8);
        let tail = self.0.chars().skip(count - 4);
        head.chain("...".chars()).chain(tail).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Compares every byte whatever the outcome, so that timing tells nothing about the contents.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(****)");
    }

    #[test]
    fn mask_follows_the_contract() {
        assert_eq!(Secret::new("123456789012").masked(), "****");
        assert_eq!(Secret::new("eyJhbGciOiJIUzI1abcd").masked(), "eyJhbGci...abcd");
    }

    #[test]
    fn equality_looks_at_length_and_bytes() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("b"));
        assert_ne!(Secret::new("a"), Secret::new("aa"));
    }
}
