//! The token in a share link: 256 random bits, stored as SHA-256. It is no access token and opens nothing but its link.

use crate::digest::Digest;
use crate::secret::{SecretBytes, SecretText};

#[derive(Clone, Debug)]
pub struct ShareToken(SecretText);

impl ShareToken {
    /// A fresh one. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBytes::random()?.to_base64()))
    }

    /// What stood in an address. One that was never ours simply hashes to nothing known.
    pub fn received(text: SecretText) -> Self {
        Self(text)
    }

    /// The hash it is stored under.
    pub fn hash(&self) -> Digest {
        Digest::sha256(self.0.expose().as_bytes())
    }

    /// The token itself, for the link.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
