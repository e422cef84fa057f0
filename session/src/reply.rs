//! What clients are answered, as data. Sentences are made in the binaries.

use crate::error::{EndReason, Error};
use crate::identity::Identity;
use crate::time::WakeReason;
use everkey_proto::reply::{self, CodeSent, Field, Replay, Short, State, User};
use everkey_proto::{FlowId, Secret, SignInMethod};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a client is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileReply {
    /// Who is signed in; none where the server does not say.
    Whoami(Option<User>),
    /// The profile as it stands.
    Status(ProfileStatus),
    Token {
        /// The token.
        access: Secret,
        /// Unix seconds, if somebody says.
        expires_at: Option<u64>,
        /// Why it may be valid for less than was asked.
        short: Option<Short>,
        /// Why its session has ended, if it has: no other token follows.
        ended: Option<EndReason>,
    },
    /// Refreshed; unix seconds of expiry, if somebody says.
    Refreshed(Option<u64>),
    /// What the server says of a token.
    Inspected(Identity),
    /// A code is to be typed elsewhere.
    Shown {
        flow: FlowId,
        /// What to show.
        shown: DeviceInstructions,
    },
    /// A page is to be opened.
    Opened {
        flow: FlowId,
        /// The page, and where it comes back to.
        page: BrowserPage,
        /// Unix seconds at which the flow ends.
        expires_at: u64,
    },
    /// A flow asks.
    Asked {
        flow: FlowId,
        /// For what.
        field: Field,
        /// Tries left.
        tries: u8,
        /// Why again.
        again: Option<Error>,
        /// Where the code went.
        sent: Option<CodeSent>,
    },
    SignedIn {
        /// Who, if the server says so.
        user: Option<User>,
        /// Whether nothing had to be done.
        already: bool,
    },
    /// A flow was given up, or the local session is gone; what the server knows of it.
    LoggedOut(reply::Revocation),
    /// The local session is gone. The server has answered, but not that it revoked it; it is asked again.
    Unconfirmed(Error),
    /// It did not work.
    Failed(Error),
}

/// Everything there is to show about a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileStatus {
    /// The server in use.
    pub server: String,
    /// Derived.
    pub state: State,
    /// Why it stands so.
    pub reason: Option<Error>,
    /// Who.
    pub user: Option<User>,
    /// How they sign in.
    pub scheme: SignInMethod,
    /// The access token, masked.
    pub masked: Option<String>,
    /// Unix seconds.
    pub access_expires_at: Option<u64>,
    /// Unix seconds.
    pub refresh_expires_at: Option<u64>,
    /// Unix seconds.
    pub next_refresh_at: Option<u64>,
    /// What went wrong last.
    pub last_error: Option<Error>,
    /// What else is known about the user.
    pub about: BTreeMap<String, String>,
    /// The token that never changes, masked.
    pub masked_fixed: Option<String>,
    /// Sign-outs not confirmed yet.
    pub pending_revocations: u32,
    /// What the server does with a refresh token that comes twice; none where there is no refresh token.
    pub replay: Option<Replay>,
    /// Unix seconds at which a sign-in may be needed, if that can be foreseen.
    pub sign_in_by: Option<u64>,
    /// Whether the access token is handed out though the session has ended.
    pub token_served: bool,
    /// Whether a server has refused the access token, and there is no way to another.
    pub token_refused: bool,
    /// When the profile wants to be woken next, in unix seconds, and why.
    pub next_wake: Option<(u64, WakeReason)>,
}

/// What a person is shown to sign in on another device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInstructions {
    /// The address.
    pub url: String,
    /// The address with the code in it.
    pub complete_url: Option<String>,
    pub user_code: String,
    /// Unix seconds at which the code expires.
    pub expires_at: u64,
}

/// A page that is to be opened in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserPage {
    /// Its address.
    pub url: String,
    /// The port on 127.0.0.1 that the browser comes back to.
    pub port: u16,
}
