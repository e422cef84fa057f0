//! How a profile stands.

use super::reminder::Reminder;
use super::session::User;
use crate::replay::{RepeatedAnswer, ReplayRule};
use crate::request::SignInMethod;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a session stands; always derived, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody is signed in.
    SignedOut,
    /// Signed in and fine.
    Valid,
    /// A refresh is under way.
    Refreshing,
    /// The last refresh failed for a passing reason; it is tried again.
    Offline,
    /// A refresh was sent and its outcome is not known yet.
    Uncertain,
    /// Only a new sign-in helps.
    NeedsLogin,
    /// Another agent holds this session file; it is only read here.
    ReadOnly,
}

/// Everything there is to show about a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The profile's name.
    pub profile: String,
    /// The api-server's base URL.
    pub server: String,
    /// The session file.
    pub session_file: String,
    /// How it stands.
    pub state: State,
    /// Why it stands so, in words, if there is something to say.
    pub reason: Option<String>,
    /// Who is signed in.
    pub user: Option<User>,
    /// How they sign in.
    pub scheme: SignInMethod,
    /// The access token, masked.
    pub masked_token: Option<String>,
    /// Unix seconds at which the access token expires.
    pub access_expires_at: Option<u64>,
    /// Unix seconds at which the refresh token expires.
    pub refresh_expires_at: Option<u64>,
    /// Unix seconds of the next planned refresh or retry.
    pub next_refresh_at: Option<u64>,
    /// What went wrong last, in words, if it is still so.
    pub last_error: Option<String>,
    /// How many sign-outs the server has not confirmed yet.
    pub pending_revocations: u32,
    /// What the server speaks: `failproofai`, `achilles`, `binboi`, `dot-ai` or `oauth`.
    pub provider: String,
    /// What else is known about the user: `name`, `org`, `role`, `plan`, `prefix`.
    pub about: BTreeMap<String, String>,
    /// A token of the file that never changes and comes before the session's, masked.
    pub masked_static_token: Option<String>,
    /// The reminder of whoever is signed in, if there is one.
    pub reminder: Option<Reminder>,
    /// What the agent does next for this profile by itself, if it plans anything.
    #[serde(default)]
    pub next_wake: Option<NextWake>,
    /// What the server does with a refresh token that comes twice; none where there is no refresh token.
    #[serde(default)]
    pub replay: Option<Replay>,
    /// Unix seconds at which a sign-in may be needed, if that can be foreseen.
    #[serde(default)]
    pub sign_in_by: Option<u64>,
    /// Whether the access token is handed out to its end though the state is `needs_login`.
    #[serde(default)]
    pub token_served: bool,
    /// Whether a server has refused the access token, and there is no way to another; the state is `needs_login`.
    #[serde(default)]
    pub token_refused: bool,
    /// The proxy on the way to the server, without a name and a password, if there is one.
    #[serde(default)]
    pub proxy: Option<InForce>,
    /// Where the certificates are that are trusted in place of the system's, if anywhere.
    #[serde(default)]
    pub certificates: Vec<InForce>,
}

/// A setting that counts, and who says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// An address, a file or a folder.
    pub value: String,
    /// `profile`, or the variable of the agent's environment.
    pub origin: String,
}

/// What a server does with a refresh token that comes twice, as far as the agent knows. It decides what the agent does
/// when the answer to a refresh is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The rule in one word, such as `strict_family` or `grace(30)`.
    pub rule: ReplayRule,
    /// What the server answers to a repeat that it accepts, if that is known.
    #[serde(default)]
    pub returns: Option<RepeatedAnswer>,
    /// Where the rule comes from.
    pub source: ReplaySource,
}

/// Where a rule for refresh tokens that come twice comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaySource {
    /// The profile says so.
    Profile,
    /// The server promises it, or leaves its refresh token as it is.
    Server,
    /// The table that everkey is shipped with.
    Table {
        /// When it was looked up, as in `2026-08-20`.
        date: String,
    },
    /// What the server's answers have shown.
    Learnt {
        /// Unix seconds of the last time.
        at: u64,
        /// How often.
        count: u32,
    },
    /// Nobody says; the most likely is assumed.
    Nobody,
}

/// When the agent turns to a profile by itself, and why. It explains an agent that seems stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextWake {
    /// Unix seconds.
    pub at: u64,
    /// The reason in one word, such as `refresh`, `resolve_doubt` or `read_session_file`; newer agents have more.
    pub reason: String,
}
