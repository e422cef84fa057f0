//! What every request shares.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::artifacts::Artifacts;
use crate::db::Database;
use crate::digest::Digest;
use crate::keys::KeyRing;
use crate::limits::Limits;
use crate::mail::MailOutbox;
use crate::rules::email::Email;
use crate::rules::rotation::RetryMode;
use crate::rules::security_contact::SecurityContact;
use crate::rules::sign_up::SignUpMode;
use crate::time::{TimeSource, Timestamp};
use crate::tokens::access::AccessTokens;

#[derive(Clone, Copy, Debug)]
pub struct TokenPolicy {
    /// How long an access token works.
    pub access_ttl: Duration,
    /// How long an unused refresh token works.
    pub refresh_ttl: Duration,
    /// Whether a lost refresh answer may be asked for again.
    pub retry: RetryMode,
}

/// The server's state: handles to the outside, and settings. It holds no session state of its own.
pub struct AppState {
    pub store: Database,
    pub keys: KeyRing,
    /// Where the server is reached from outside: the OAuth issuer, without a slash at the end.
    pub public_url: String,
    pub access: AccessTokens,
    pub policy: TokenPolicy,
    /// Whom to tell about a hole in this server, if somebody has said it.
    pub security_contact: Option<SecurityContact>,
    /// How often things may be done.
    pub limits: Limits,
    /// Who may sign up until somebody decides.
    pub sign_up: SignUpMode,
    /// Proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The files of reports; none if this server keeps none.
    pub artifacts: Option<Artifacts>,
    /// Where mail is left.
    pub outbox: MailOutbox,
    pub clock: Arc<dyn TimeSource>,
}

impl AppState {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A name for an address in logs and the audit: the same address has the same name, and only
    /// the holder of the keys could tell which it is.
    pub fn pseudonym(&self, email: &Email) -> String {
        pseudonym(&self.keys, email)
    }
}

/// The same, for whoever has the keys alone.
pub(crate) fn pseudonym(keys: &KeyRing, email: &Email) -> String {
    Digest::hmac(&keys.current().pepper, &[b"log", email.as_str().as_bytes()]).short()
}
