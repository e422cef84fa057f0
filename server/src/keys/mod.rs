//! The server's own keys. They live in a file of their own, never in the database.

pub mod file;

use crate::secret::SecretBytes;
use crate::time::Moment;

/// One set of keys. Tokens and codes remember the `id` of the set that made them.
#[derive(Clone, Debug)]
pub struct ServerKey {
    /// Names the set in the database and in the `kid` of access tokens.
    pub id: String,
    /// When it was made.
    pub created_at: Moment,
    /// Signs access tokens (HS256).
    pub jwt: SecretBytes,
    /// Keys the hashes of login codes, so that the database alone can't be searched for them.
    pub pepper: SecretBytes,
    /// Derives RR-1 successors.
    pub retry: SecretBytes,
}

impl ServerKey {
    /// A fresh set. Errors if the operating system has no randomness to give.
    pub fn random(now: Moment) -> Result<Self, getrandom::Error> {
        let mut id = [0; 6];
        getrandom::fill(&mut id)?;
        Ok(Self {
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            created_at: now,
            jwt: SecretBytes::random()?,
            pepper: SecretBytes::random()?,
            retry: SecretBytes::random()?,
        })
    }
}

/// The set in use and the older ones that what was made before still needs.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: ServerKey,
    older: Vec<ServerKey>,
}

impl KeyRing {
    /// A ring that makes new things with `current` and still knows `older`.
    pub fn new(current: ServerKey, older: Vec<ServerKey>) -> Self {
        Self { current, older }
    }

    /// The set that new tokens and codes are made with.
    pub fn current(&self) -> &ServerKey {
        &self.current
    }

    /// The set with this id, if it is still kept.
    pub fn find(&self, id: &str) -> Option<&ServerKey> {
        std::iter::once(&self.current).chain(&self.older).find(|key| key.id == id)
    }
}
