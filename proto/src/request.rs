//! What a client may ask, protocol version 1. Once released, variants and fields are only ever appended.

use crate::Secret;
use serde::{Deserialize, Serialize};

/// One request on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The profile meant; none means the default one.
    pub profile: Option<String>,
    /// What the caller takes for granted about the agent.
    pub expect: Expect,
    /// What to do.
    pub verb: Verb,
}

/// The caller's own idea of server and session file, from its flags and environment.
/// The agent refuses, naming both, when its own differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// The api-server's base URL, if the caller was told one explicitly.
    pub server: Option<String>,
    /// The session file, if the caller was told one explicitly.
    pub session_file: Option<String>,
}

/// A sign-in under way; it outlives the connection that began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowId(pub u64);

/// How a person proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// A code sent by email.
    Otp,
    /// A code shown here and approved on another device (RFC 8628).
    Device,
    /// A page in the browser that answers to this machine (authorization code with PKCE, RFC 8252).
    Browser,
    /// A token made elsewhere and pasted.
    Token,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// Who is signed in; answered without the network.
    Whoami,
    /// Everything there is to show about the profile, no secrets.
    Status,
    /// An access token.
    Token {
        /// It shall be valid for at least so many seconds.
        min_validity_secs: u32,
    },
    /// Refresh now.
    Refresh {
        /// Even if the last refresh was less than 30 s ago.
        force: bool,
    },
    /// Begin a sign-in, or join the one under way.
    Login {
        /// The way to sign in; none means the profile's own.
        scheme: Option<Scheme>,
    },
    /// Answer the question that a flow asked last.
    Answer {
        /// The flow.
        flow: FlowId,
        /// The answer as typed.
        text: Secret,
    },
    /// Give up a sign-in.
    Cancel {
        /// The flow.
        flow: FlowId,
    },
    /// Sign out: the local session is gone whatever the network says.
    Logout,
    /// What the agent is and where its things are.
    Agent,
    /// Ask the agent to drain and exit.
    Stop,
    /// Another access token than this one, which a server has refused though it should be valid.
    Better {
        /// SHA-256 of the refused token, in hexadecimal.
        than: String,
    },
    /// The next step of a sign-in that waits for the world: answered when there is one, or after some seconds with
    /// the same step again.
    Wait {
        /// The flow.
        flow: FlowId,
    },
    /// Ask the server whether it accepts a token, and whose it is. Nothing is kept.
    Inspect {
        /// The token; none means the session's own.
        token: Option<Secret>,
    },
    /// The reminder of whoever is signed in; answered without the network.
    Reminder,
    /// Set the reminder, in place of the one there is.
    SetReminder {
        /// When it is due.
        when: When,
    },
    /// Clear the reminder.
    ClearReminder,
    /// Follow what happens: from now on the connection carries events and takes no more requests.
    Events {
        /// Whether what happened since the agent started comes first, as far as it is remembered.
        past: bool,
    },
    /// Who was handed which token and when, the newest first.
    Accesses {
        /// At most so many.
        limit: u32,
    },
}

/// When a reminder is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// In so many days, 1 to 365; others are taken for the nearest of these.
    InDays(u32),
    /// At this time in unix seconds: not past, and at most 365 days ahead.
    At(u64),
}
