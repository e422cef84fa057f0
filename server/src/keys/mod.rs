//! The server's own keys. They live in a file of their own, never in the database.

pub mod es256;
pub mod file;

use self::es256::Es256Key;
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
    Signing(#[from] es256::NoKey),
}

impl From<getrandom::Error> for NotMade {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

impl ServerKey {
    /// A fresh set. Errors if the operating system has no randomness to give.
    pub fn random(now: Moment) -> Result<Self, NotMade> {
        let mut id = [0; 6];
        getrandom::fill(&mut id)?;
        Ok(Self {
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            created_at: now,
            jwt: SecretBytes::random()?,
            pepper: SecretBytes::random()?,
            retry: SecretBytes::random()?,
            es256: Some(Es256Key::random()?),
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

    /// Every set, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &ServerKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// This ring with a new current set; the one that was current becomes the first of the older ones.
    pub fn with_current(mut self, new: ServerKey) -> Self {
        self.older.insert(0, std::mem::replace(&mut self.current, new));
        self
    }

    /// The set with this id, if it is still kept.
    pub fn find(&self, id: &str) -> Option<&ServerKey> {
        self.all().find(|key| key.id == id)
    }
}
