//! What comes in and what goes out: one event in, effects out.

use crate::job::{Done, Identity, NetJob, StoreJob};
use crate::record::Fingerprint;
use crate::registration::At;
use crate::trouble::{Notice, Trouble};
use everkey_proto::reply::{self, CodeSent, Field, Short, State, User};
use everkey_proto::{Expect, FlowId, Scheme, Secret};
use std::collections::BTreeMap;

/// Names a client that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(pub u64);

/// Names work that an effect started; its completion carries the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Op(pub u64);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client asks.
    Ask {
        /// Who waits.
        waiter: Waiter,
        /// What it counts on.
        expect: Expect,
        /// What it asks.
        ask: Ask,
    },
    /// A client went away.
    Gone(Waiter),
    /// Work is done.
    Done(Op, Done),
    /// A browser came back to the listener that the op opened.
    Callback {
        /// The browser, which waits for a page.
        waiter: Waiter,
        /// The listener.
        listener: Op,
        /// The query of the address, with the authorization code.
        query: Secret,
    },
    /// The session file may have changed.
    FileChanged,
    /// What was to be done before this revocation is done; see [`Effect::Farewell`].
    FarewellDone(u64),
    /// The time given by `next_wake` has come.
    Tick,
}

/// What a client may ask of a profile; see [`everkey_proto::Verb`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who is signed in.
    Whoami,
    /// Everything to show.
    Status,
    /// An access token valid for so many seconds; 0 means what is sensible.
    Token {
        /// Seconds.
        min_validity_secs: u64,
    },
    /// Another access token than this one, which a server has refused though it should be valid (N29).
    Better {
        /// The fingerprint of the refused access token.
        than: Fingerprint,
    },
    /// A refresh now.
    Refresh {
        /// Even if the last was just now.
        force: bool,
    },
    /// A sign-in.
    Login {
        /// The way; none means the profile's own.
        scheme: Option<Scheme>,
    },
    /// The next step of a sign-in.
    Wait {
        /// The flow.
        flow: FlowId,
    },
    /// What the server says of a token.
    Inspect {
        /// The token; none means the session's own.
        token: Option<Secret>,
    },
    /// An answer to a flow's question.
    Answer {
        /// The flow.
        flow: FlowId,
        /// As typed.
        text: Secret,
    },
    /// A flow is given up.
    Cancel {
        /// The flow.
        flow: FlowId,
    },
    /// A sign-out.
    Logout,
}

impl Ask {
    /// Whether it is about a session at the server that the caller expects. Only a sign-in may bring a new server, and
    /// a sign-out is wanted whatever the server.
    pub(crate) fn is_bound_to_server(&self) -> bool {
        match self {
            Self::Whoami | Self::Token { .. } | Self::Better { .. } | Self::Refresh { .. } | Self::Status => {
                true
            }
            // A token of the caller goes where the caller says.
            Self::Inspect { token } => token.is_none(),
            Self::Login { .. }
            | Self::Answer { .. }
            | Self::Cancel { .. }
            | Self::Wait { .. }
            | Self::Logout => false,
        }
    }
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer a client; exactly once each.
    Reply(Waiter, Box<Answer>),
    /// Work on files; jobs of one profile run, and are reported as done, in the order given.
    Store(Op, Box<StoreJob>),
    /// Work on the network; jobs run side by side.
    Net(Op, NetJob),
    /// Close the connection or the listener of an op without sending anything more.
    Cancel(Op),
    /// Say it in the log, and to whoever follows.
    Tell(Notice),
    /// Use the token of a session that has ended, before it is revoked. The revocation waits for
    /// [`Input::FarewellDone`]; only profiles that announce revocations have this effect.
    Farewell(Farewell),
}

/// A revocation that waits until its token has been used for the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// The revocation's id.
    pub revocation: u64,
    /// The server of the session.
    pub at: At,
    /// The access token of the session.
    pub access: Secret,
    /// Unix seconds after which the token is of no use, or the revocation is given up.
    pub expires_at: u64,
    /// Whose session it was.
    pub user: String,
}

/// What a client is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Who is signed in; none where the server does not say.
    Whoami(Option<User>),
    /// The profile as it stands.
    Status(View),
    /// A token.
    Token {
        /// The token.
        access: Secret,
        /// Unix seconds, if somebody says.
        expires_at: Option<u64>,
        /// Why it may be valid for less than was asked.
        short: Option<Short>,
    },
    /// Refreshed; unix seconds of expiry.
    Refreshed(u64),
    /// What the server says of a token.
    Inspected(Identity),
    /// A code is to be typed elsewhere.
    Shown {
        /// The flow.
        flow: FlowId,
        /// What to show.
        shown: Shown,
    },
    /// A page is to be opened.
    Opened {
        /// The flow.
        flow: FlowId,
        /// The page, and where it comes back to.
        page: Page,
        /// Unix seconds at which the flow ends.
        expires_at: u64,
    },
    /// A flow asks.
    Asked {
        /// The flow.
        flow: FlowId,
        /// For what.
        field: Field,
        /// Tries left.
        tries: u8,
        /// Why again.
        again: Option<Trouble>,
        /// Where the code went.
        sent: Option<CodeSent>,
    },
    /// Signed in.
    SignedIn {
        /// Who, if the server says so.
        user: Option<User>,
        /// Whether nothing had to be done.
        already: bool,
    },
    /// A flow was given up, or the local session is gone; what the server knows of it.
    LoggedOut(reply::Revocation),
    /// It did not work.
    Failed(Trouble),
}

/// Everything there is to show about a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The server in use.
    pub server: String,
    /// Derived.
    pub state: State,
    /// Why it stands so.
    pub reason: Option<Trouble>,
    /// Who.
    pub user: Option<User>,
    /// How they sign in.
    pub scheme: Scheme,
    /// The access token, masked.
    pub masked: Option<String>,
    /// Unix seconds.
    pub access_expires_at: Option<u64>,
    /// Unix seconds.
    pub refresh_expires_at: Option<u64>,
    /// Unix seconds.
    pub next_refresh_at: Option<u64>,
    /// What went wrong last.
    pub last_error: Option<Trouble>,
    /// What else is known about the user.
    pub about: BTreeMap<String, String>,
    /// The token that never changes, masked.
    pub masked_fixed: Option<String>,
    /// Sign-outs not confirmed yet.
    pub pending_revocations: u32,
}

/// What a person is shown to sign in on another device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The address.
    pub url: String,
    /// The address with the code in it.
    pub complete_url: Option<String>,
    /// The code.
    pub user_code: String,
    /// Unix seconds at which the code expires.
    pub expires_at: u64,
}

/// A page that is to be opened in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// The port on 127.0.0.1 that the browser comes back to.
    pub port: u16,
}
