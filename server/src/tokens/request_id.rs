//! What names a request for a login code: who knows it has guesses of their own.

use crate::digest::Digest;
use crate::secret::{SecretBytes, SecretText};

/// The `request_id` of the contract: 256 random bits, of which only the hash is stored.
#[derive(Clone, Debug)]
pub struct CodeRequestId(SecretText);

impl CodeRequestId {
    /// A fresh one. Errors if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(SecretBytes::random()?.to_base64()))
    }

    /// What a client sent. One that was never ours simply hashes to nothing known.
    pub fn received(text: SecretText) -> Self {
        Self(text)
    }

    /// The hash it is stored under.
    pub fn hash(&self) -> Digest {
        Digest::sha256(self.0.expose().as_bytes())
    }

    /// The id itself, for the answer to its request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
