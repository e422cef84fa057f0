//! What the agent answers, protocol version 1. Once released, variants and fields are only ever appended.

mod failure;
mod happening;

pub use failure::{Code, Failure, ServerAnswer};
pub use happening::{Access, Event, Happening, Reminder, Upstream};

use crate::{FlowId, Scheme, Secret};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One reply on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Somebody is signed in; none where the server does not say who.
    Whoami(Option<User>),
    /// The profile as it stands.
    Status(Box<Status>),
    /// A valid access token.
    Token(Token),
    /// The refresh has happened (or was not needed); unix seconds at which the access token expires.
    Refreshed {
        /// Unix seconds.
        access_expires_at: u64,
    },
    /// Where a sign-in stands.
    Step(Step),
    /// The local session is gone.
    LoggedOut(Revocation),
    /// What the agent is.
    Agent(AgentInfo),
    /// The agent drains and exits.
    Stopping,
    /// It did not work.
    Failed(Failure),
    /// What the server says of a token.
    Inspected(Inspection),
    /// The reminder as it stands; none if there is none.
    Reminder(Option<Reminder>),
    /// Events follow from here on.
    Following,
    /// Something has happened.
    Event(Event),
    /// Who was handed tokens, the newest first.
    Accesses(Vec<Access>),
}

/// An account at the api-server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The server's identifier, as it writes it.
    pub id: String,
    /// The email address.
    pub email: String,
}

/// An access token with what its holder should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub access_token: Secret,
    /// Unix seconds at which it expires; none if nobody says.
    pub expires_at: Option<u64>,
    /// Why it may be valid for less than was asked, if so.
    pub short: Option<Short>,
}

/// Why a token is valid for less than was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Short {
    /// The server never gives one that long.
    Lifetime,
    /// A fresher one can't be had right now.
    NoRefresh,
}

/// Where a sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The person is asked for something; answer with `Verb::Answer`.
    Ask {
        /// The flow.
        flow: FlowId,
        /// What is asked for.
        field: Field,
        /// How many tries are left, this one included.
        tries: u8,
        /// Why it is asked again, if it is.
        again: Option<Failure>,
        /// Where the code went that is asked for.
        sent: Option<CodeSent>,
    },
    /// Signed in.
    Done {
        /// Who it is, if the server says so.
        user: Option<User>,
        /// Whether it was so before, and nothing was done.
        already: bool,
    },
    /// The person is to open an address, on any device, and to type a code there; then comes `Verb::Wait`.
    Show {
        /// The flow.
        flow: FlowId,
        /// The address.
        url: String,
        /// The address with the code in it, if the server gives one.
        complete_url: Option<String>,
        /// The code.
        user_code: String,
        /// Unix seconds at which the code expires.
        expires_at: u64,
    },
    /// A page is to be opened in a browser on this machine; then comes `Verb::Wait`. Elsewhere, the address that the
    /// browser ends at may be given as an answer.
    Open {
        /// The flow.
        flow: FlowId,
        /// The page.
        url: String,
        /// The port on 127.0.0.1 that the browser comes back to.
        port: u16,
        /// Unix seconds at which the sign-in is given up.
        expires_at: u64,
    },
}

/// A code that was sent to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSent {
    /// The email address. Given as an answer again, another code is sent there.
    pub to: String,
    /// Seconds for which it worked when it was sent, if the server says so.
    pub expires_in: Option<u64>,
    /// Seconds after which another could be asked for when it was sent, if the server says so.
    pub resend_available_in: Option<u64>,
}

/// What a flow asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// An email address.
    Email,
    /// The code that was sent; not to be echoed on a terminal.
    Code,
    /// A token; not to be echoed on a terminal.
    Token,
}

/// What a server says of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Whether it accepts it.
    pub verdict: Verdict,
    /// Whose it is, if it says so.
    pub user: Option<User>,
    /// What else it says about them: `name`, `org`, `role`, `plan`, `prefix`.
    pub about: BTreeMap<String, String>,
}

/// Whether a server accepts a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Accepted,
    /// It does not.
    Refused,
    /// It answers, but has no way to say.
    Untold,
}

/// Whether the server knows that a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// There was no session.
    NothingToDo,
    /// The server has revoked it.
    Revoked,
    /// The server can't be reached; told again for seven days.
    Queued,
    /// The server answered, but not that it has revoked it.
    NotConfirmed,
    /// The server has no way to be told.
    Impossible,
}

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
    pub scheme: Scheme,
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
}

/// What the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Its socket.
    pub socket: String,
    /// Its state folder.
    pub state_dir: String,
}
