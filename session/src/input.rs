//! What comes in: requests of clients, ends of jobs, changed files, the clock.

use crate::jobs::JobResult;
use crate::session::Fingerprint;
use everkey_proto::{Expect, FlowId, Scheme, Secret};

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
    Done(Op, JobResult),
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
    /// What was to be done before this revocation is done; see [`Effect::Farewell`](crate::Effect::Farewell).
    FarewellDone(u64),
    /// The time given by [`Profile::due`](crate::Profile::due) has come.
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
