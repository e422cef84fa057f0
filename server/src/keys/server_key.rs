//! One set of the server's keys.

use crate::digest::hex;
use crate::keys::es256::{Es256Key, NoKey};
use crate::secret::SecretBytes;
use crate::time::Timestamp;

/// One set of keys. Tokens and codes remember the `id` of the set that made them.
#[derive(Clone, Debug)]
pub struct ServerKey {
    /// Names the set in the database and in the `kid` of access tokens.
    pub id: String,
    pub created_at: Timestamp,
    /// Signs access tokens (HS256).
    pub jwt: SecretBytes,
    /// Keys the hashes of login codes, so that the database alone can't be searched for them.
    pub pepper: SecretBytes,
    /// Derives RR-1 successors.
    pub retry: SecretBytes,
    /// Signs id_tokens (ES256). Sets made before there were id_tokens have none.
    pub es256: Option<Es256Key>,
}

/// No set could be made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The operating system has no randomness to give.
    #[error("{0}")]
    Random(getrandom::Error),
    /// Nor has it for a signing key.
    #[error("no signing key could be made")]
    Signing(#[from] NoKey),
}

impl From<getrandom::Error> for NotMade {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

impl ServerKey {
    /// A fresh set. Errors if the operating system has no randomness to give.
    pub fn random(now: Timestamp) -> Result<Self, NotMade> {
        let mut id = [0; 6];
        getrandom::fill(&mut id)?;
        Ok(Self {
            id: hex(&id),
            created_at: now,
            jwt: SecretBytes::random()?,
            pepper: SecretBytes::random()?,
            retry: SecretBytes::random()?,
            es256: Some(Es256Key::random()?),
        })
    }
}
