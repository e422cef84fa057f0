//! A session as its file holds it: tokens, when they expire, and whose they are.

use crate::registration::Registration;
use crate::time::told;
pub use everkey_proto::fingerprint::{Fingerprint, hex};
use everkey_proto::{Secret, reply::User};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an access token says about itself; read without verifying, so only ever compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user it is for (`sub`).
    pub subject: Option<String>,
    /// The session it belongs to (`sid`).
    pub session_id: Option<String>,
    /// How many rotations that session has seen (`gen`).
    pub generation: Option<u64>,
}

/// What a profile holds once signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The access token.
    pub access: Secret,
    /// Unix seconds; none if nobody says when.
    pub access_expires_at: Option<u64>,
    /// The refresh token, if the server gives one.
    pub refresh: Option<Secret>,
    /// Unix seconds; none if nobody says when.
    pub refresh_expires_at: Option<u64>,
    /// When this access token was issued, unix seconds, if that is known.
    #[serde(default)]
    pub issued_at: Option<u64>,
    /// What the access token says about itself.
    #[serde(default)]
    pub claims: Claims,
    /// Whose it is.
    #[serde(flatten)]
    pub holder: Holder,
}

/// What about a session stays as it is when its tokens rotate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who it is; none where the server does not say.
    pub user: Option<User>,
    /// What else the server says about them, by name: `name`, `org`, `role`, `plan`, `prefix`.
    #[serde(default)]
    pub about: BTreeMap<String, String>,
    /// The server, where the session file itself names it.
    #[serde(default)]
    pub server: Option<String>,
    /// What an OAuth server knows this client as.
    #[serde(default)]
    pub registration: Option<Registration>,
    /// A token of the same file that never changes and comes before the session's (dot-ai's `auth_token`).
    #[serde(default)]
    pub fixed: Option<Secret>,
}

impl Holder {
    /// This, filled up from another where it says nothing.
    pub fn or(self, other: Self) -> Self {
        Self {
            user: self.user.or(other.user),
            about: if self.about.is_empty() { other.about } else { self.about },
            server: self.server.or(other.server),
            registration: self.registration.or(other.registration),
            fixed: self.fixed.or(other.fixed),
        }
    }
}

impl Session {
    /// The fingerprint of its refresh token, or of the access token where there is none.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.refresh.as_ref().unwrap_or(&self.access))
    }

    /// Whether there is nothing but a token that never changes.
    pub fn is_only_fixed(&self) -> bool {
        self.holder.fixed.as_ref() == Some(&self.access)
    }

    /// When the access token ends, as it is told.
    pub fn access_ends(&self) -> Option<u64> {
        told(self.access_expires_at)
    }

    /// When the refresh token ends, as it is told.
    pub fn refresh_ends(&self) -> Option<u64> {
        told(self.refresh_expires_at)
    }

    /// Unix seconds until which one of its tokens may still work; `wall` plus ninety days if nobody says.
    pub fn works_until(&self, wall: u64) -> u64 {
        let told = if self.refresh.is_some() { self.refresh_expires_at } else { self.access_expires_at };
        told.unwrap_or(wall.saturating_add(90 * 86400))
    }
}

/// Whether two sessions are the same one, as far as can be told.
pub(crate) fn is_same_session(one: &Session, other: &Session) -> bool {
    let ids = (&one.claims.session_id, &other.claims.session_id);
    !is_another_user(one, other) && (ids.0 == ids.1 || ids.0.is_none() || ids.1.is_none())
}

/// Whether two sessions are different users', as far as can be told.
pub(crate) fn is_another_user(one: &Session, other: &Session) -> bool {
    let users = one.holder.user.as_ref().zip(other.holder.user.as_ref());
    users.is_some_and(|(one, other)| one.id != other.id)
}
