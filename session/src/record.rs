//! What is known and kept about a session: tokens, intents, outcomes, the side-car.

use crate::registration::{At, Registration};
use everkey_proto::{Secret, reply::User};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// SHA-256 of a token: names it without holding it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a token.
    pub fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose()).into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", &hex(&self.0)[..8])
    }
}

impl From<Fingerprint> for String {
    fn from(print: Fingerprint) -> Self {
        hex(&print.0)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digit = |c: u8| (c as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let pairs = text.as_bytes().chunks_exact(2);
        let bytes: Option<Vec<u8>> = pairs.map(|p| Some(digit(p[0])? << 4 | digit(p[1])?)).collect();
        let bytes = bytes.filter(|_| text.len() == 64).ok_or("not a fingerprint")?;
        bytes.try_into().map(Self).map_err(|_| "not a fingerprint")
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|d| char::from_digit(d.into(), 16)).collect()
}

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

    /// Unix seconds until which one of its tokens may still work; `wall` plus ninety days if nobody says.
    pub fn works_until(&self, wall: u64) -> u64 {
        let told = if self.refresh.is_some() { self.refresh_expires_at } else { self.access_expires_at };
        told.unwrap_or(wall.saturating_add(90 * 86400))
    }
}

/// How a server lets a lost answer be repeated; pinned with the session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// RR-1: the same token with the same key gives the same answer until the successor is used.
    Rr1,
    /// The refresh token stays the same, so nothing can be lost; learnt from an answer without a new one.
    Reusable,
    /// No repeatable answer, but deadlines are kept and the session route tells the generation.
    Probe,
    /// Nothing is promised.
    #[default]
    None,
}

/// A token answer, translated from the provider's wire shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The access token.
    pub access: Secret,
    /// Seconds as the server said them; may be absurd. None if it did not say.
    pub access_expires_in: Option<i64>,
    /// The refresh token, if it gives one.
    pub refresh: Option<Secret>,
    /// Seconds as the server said them; may be absurd. None if it did not say.
    pub refresh_expires_in: Option<i64>,
    /// Whose it is; sign-in answers say so, refresh answers needn't.
    pub user: Option<User>,
    /// What else it says about them.
    pub about: BTreeMap<String, String>,
    /// What the access token says about itself.
    pub claims: Claims,
    /// What the server promises about lost answers.
    pub capability: Capability,
}

/// The longest lifetime believed of any token, in seconds: ten years.
const LONGEST: i64 = 10 * 365 * 86400;

impl Grant {
    /// The access token's lifetime in seconds, clamped to something sane; none if nobody says.
    pub fn access_lifetime(&self) -> Option<u64> {
        self.access_expires_in.map(clamp_lifetime)
    }

    /// The session this grant makes for `holder` when it arrives at `wall` (unix seconds).
    pub fn into_session(self, holder: Holder, wall: u64) -> Session {
        let after = |secs: i64| wall.saturating_add(clamp_lifetime(secs));
        Session {
            access_expires_at: self.access_expires_in.map(after),
            refresh_expires_at: self.refresh_expires_in.map(after),
            access: self.access,
            refresh: self.refresh,
            issued_at: Some(wall),
            claims: self.claims,
            holder,
        }
    }
}

fn clamp_lifetime(secs: i64) -> u64 {
    secs.clamp(1, LONGEST).unsigned_abs()
}

/// The journal's promise, durable before the first byte of a refresh token is sent (I1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The epoch of the session it belongs to.
    pub epoch: u64,
    /// The token that is about to be sent.
    pub parent: Fingerprint,
    /// The one idempotency key that token will ever be sent with (I2).
    pub key: Secret,
    /// The pinned server.
    pub server: String,
    /// Server-clock unix seconds after which the server must ignore the request.
    pub deadline: u64,
    /// What the server promised when the intent was written.
    pub capability: Capability,
    /// How many sends this intent has announced, this one included.
    pub sends: u32,
}

/// What the journal beside the session file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Journal {
    /// Nothing is under way.
    Empty,
    /// A refresh may have been sent.
    Intent(Intent),
    /// A refresh has succeeded; the session file may not show it yet.
    Outcome(Intent, Session),
}

/// Why only a new sign-in helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The server refused the refresh token.
    Refused,
    /// An answer was lost and the server forbids asking again.
    AnswerLost,
    /// The server has rotated further than this session.
    SessionLost,
    /// The session file holds a token that was already used up: a restored backup.
    Restored,
    /// The session file was copied from a machine that went on using it.
    Copied,
    /// Another program keeps refreshing the same token.
    Contested,
    /// The access token has expired, and there is no refresh token.
    Expired,
}

/// A refresh token that must never be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The token.
    pub fingerprint: Fingerprint,
    /// Unix seconds after which it may be forgotten.
    pub until: u64,
    /// Why a session that still holds it is over.
    pub why: Over,
}

/// Where a session came from, and what holds for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The token that everkey itself wrote last; any other in the file was written by somebody else.
    pub fingerprint: Fingerprint,
    /// The only server that its tokens are sent to.
    pub server: String,
    /// What that server promises.
    pub capability: Capability,
    /// The access token's lifetime in seconds; none if nobody says.
    pub lifetime_secs: Option<u64>,
    /// How the person signed in, if that was here.
    #[serde(default)]
    pub scheme: Option<everkey_proto::Scheme>,
    /// Who it is, for session files that don't say.
    #[serde(default)]
    pub user: Option<User>,
    /// What else is known about them.
    #[serde(default)]
    pub about: BTreeMap<String, String>,
}

/// What everkey remembers about a profile beside its session file. Holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Raised by every sign-in and sign-out.
    pub epoch: u64,
    /// Where the session came from; none before the first sign-in.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// A sign-in that is being stored; it counts once the session file holds its token.
    #[serde(default)]
    pub pending: Option<Pin>,
    /// The machine that wrote this, so that a copied home folder is noticed.
    #[serde(default)]
    pub machine: Option<String>,
    /// A sign-out that may have been cut short: the token whose file shall go.
    #[serde(default)]
    pub signing_out: Option<Fingerprint>,
    /// Tokens that must never be sent again, oldest first.
    #[serde(default)]
    pub spent: Vec<Spent>,
}

/// How many spent tokens are remembered at most; two months of hourly refreshes.
const SPENT_CAP: usize = 1536;

impl Sidecar {
    /// Remembers that a token must never be sent again.
    pub fn spend(&mut self, fingerprint: Fingerprint, until: u64, why: Over, wall: u64) {
        self.spent.retain(|spent| spent.until > wall && spent.fingerprint != fingerprint);
        self.spent.push(Spent { fingerprint, until: until.max(wall.saturating_add(86400)), why });
        let excess = self.spent.len().saturating_sub(SPENT_CAP);
        self.spent.drain(..excess);
    }

    /// Why a token must never be sent again, if so.
    pub fn is_spent(&self, fingerprint: Fingerprint) -> Option<Over> {
        self.spent.iter().find(|spent| spent.fingerprint == fingerprint).map(|spent| spent.why)
    }
}

/// A sign-out that the server has yet to confirm; kept in a 0600 file for seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Names it.
    pub id: u64,
    /// The server that issued the tokens.
    #[serde(flatten)]
    pub at: At,
    /// The access token, for servers that want it.
    pub access: Secret,
    /// Unix seconds at which the access token expires, if somebody says.
    pub access_expires_at: Option<u64>,
    /// The refresh token to revoke, if there is one.
    pub refresh: Option<Secret>,
    /// Unix seconds after which it is given up.
    pub until: u64,
    /// Whose session it is, by email address, if the server says.
    #[serde(default)]
    pub user: Option<String>,
}

/// How long an unconfirmed sign-out is retried, in seconds.
pub const REVOCATION_KEPT_SECS: u64 = 7 * 86400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_survive_text() {
        let print = Fingerprint::of(&Secret::new("token"));
        assert_eq!(Fingerprint::try_from(String::from(print)), Ok(print));
        assert!(Fingerprint::try_from("ab".to_owned()).is_err());
        assert!(Fingerprint::try_from("zz".repeat(32)).is_err());
    }

    #[test]
    fn n20_absurd_lifetimes_are_clamped() {
        assert_eq!(clamp_lifetime(0), 1);
        assert_eq!(clamp_lifetime(-5), 1);
        assert_eq!(clamp_lifetime(i64::MAX), LONGEST.unsigned_abs());
    }

    #[test]
    fn f09_spent_tokens_are_remembered_until_they_expire() {
        let print = |t: &str| Fingerprint::of(&Secret::new(t));
        let mut sidecar = Sidecar::default();
        sidecar.spend(print("a"), 2_000_000, Over::Restored, 1_000_000);
        assert_eq!(sidecar.is_spent(print("a")), Some(Over::Restored));
        sidecar.spend(print("b"), 9_000_000, Over::Restored, 2_000_001);
        assert_eq!(sidecar.is_spent(print("a")), None);
        assert_eq!(sidecar.is_spent(print("b")), Some(Over::Restored));
    }
}
