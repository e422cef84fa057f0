//! What the fields of requests hold.

use crate::Secret;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A sign-in under way; it lives ten minutes at most, and outlives the connection that began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowId(pub u64);

/// What becomes of a sign-in that is under way when another caller wants one. In JSON lines the field `join` or
/// `replace`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnderWay {
    /// The caller joins this one.
    Join(FlowId),
    /// This one ends, and a new one begins.
    Replace(FlowId),
}

/// How a person proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// A code sent by email.
    Otp,
    /// A code shown here and approved on another device (RFC 8628).
    Device,
    /// A page in the browser that answers to this machine (authorization code with PKCE, RFC 7636 and 8252).
    Browser,
    /// A token made elsewhere and pasted.
    Token,
    /// The client's own credentials, for machines (RFC 6749 section 4.4).
    Client,
}

impl SignInMethod {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Otp, Self::Device, Self::Browser, Self::Token, Self::Client];

    /// Its name, as configuration and command lines write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Device => "device",
            Self::Browser => "browser",
            Self::Token => "token",
            Self::Client => "client",
        }
    }
}

/// There is no sign-in method of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are otp, device, browser, token and client")]
pub struct UnknownSignInMethod;

impl FromStr for SignInMethod {
    type Err = UnknownSignInMethod;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|method| method.as_str() == name).ok_or(UnknownSignInMethod)
    }
}

/// When a reminder is due. In JSON lines the field `in_days` or `at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// In so many days, 1 to 365; others are taken for the nearest of these.
    InDays(u32),
    /// At this time in unix seconds: ahead, and at most 365 days.
    At(u64),
}

/// What a person enters while they sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// The answer to the field that is asked for; where a page is open, the address that a browser elsewhere ended at.
    /// In JSON lines `text`.
    Text(Secret),
    /// An address to send a code to; where a code is asked for already, another one. In JSON lines `email`.
    Email(String),
    /// The code that was sent to that address, whichever address was asked about. In JSON lines `email` and `code`.
    Code {
        /// The address.
        email: String,
        /// The code.
        code: Secret,
    },
}

/// The profile that a request means when it names none, unless `config.toml` says another.
pub const DEFAULT_PROFILE: &str = "failproofai";

/// The caller's own idea of server and session file, from its options and environment. Where the agent's differs, it
/// answers [`Code::Mismatch`](crate::Code::Mismatch) and names both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// The api-server's base URL. A sign-in goes there.
    pub server: Option<String>,
    /// The session file, a full path.
    pub session_file: Option<String>,
}
