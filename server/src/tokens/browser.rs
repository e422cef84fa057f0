//! What a browser's cookie holds: 256 random bits, stored as SHA-256, from which the token of its forms derives.

use std::fmt;

use crate::digest::Digest;
use crate::secret::{SecretBytes, SecretText};

/// The secret in a browser's cookie.
#[derive(Clone, Debug)]
pub struct BrowserSecret(SecretBytes);

impl BrowserSecret {
    /// A fresh one. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBytes::random()?))
    }

    /// Reads a cookie's value; `None` if it can't be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        SecretBytes::from_base64(text).map(Self)
    }

    /// The cookie's value.
    pub fn to_cookie(&self) -> SecretText {
        self.0.to_base64()
    }

    /// The hash it is stored under.
    pub fn hash(&self) -> Digest {
        Digest::sha256(self.0.expose())
    }

    /// The token that every form of this browser carries. It tells nothing about the cookie.
    pub fn form_token(&self) -> FormToken {
        FormToken(Digest::hmac(&self.0, &[b"form token"]))
    }
}

/// Proves that a form came from a page of this server: another site can send a form along with the cookie, but
/// can't read it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FormToken(Digest);

impl FormToken {
    /// Reads what a form carried. Compare it with `==`, which takes constant time.
    pub fn parse(text: &str) -> Option<Self> {
        SecretBytes::from_base64(text).and_then(|bytes| Digest::from_slice(bytes.expose())).map(Self)
    }
}

/// For the hidden field of a form and nothing else.
impl fmt::Display for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SecretBytes::new(*self.0.bytes()).to_base64().expose())
    }
}

impl fmt::Debug for FormToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_belongs_to_one_cookie_unrevealed() {
        let (mine, other) = (BrowserSecret::random().unwrap(), BrowserSecret::random().unwrap());
        let again = BrowserSecret::parse(mine.to_cookie().expose()).unwrap();
        assert!(again.hash() == mine.hash() && again.form_token() == mine.form_token());
        assert_eq!(FormToken::parse(&mine.form_token().to_string()), Some(mine.form_token()));
        assert_ne!(mine.form_token(), other.form_token());
        assert_ne!(mine.form_token().to_string(), mine.to_cookie().expose());
        assert!(BrowserSecret::parse("x").is_none() && FormToken::parse("").is_none());
        assert_eq!(format!("{mine:?} {:?}", mine.form_token()), "BrowserSecret(****) ****");
    }
}
