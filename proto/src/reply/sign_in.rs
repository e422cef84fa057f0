//! The steps of a sign-in.

use super::failure::Failure;
use super::session::User;
use crate::request::FlowId;
use serde::{Deserialize, Serialize};

/// Where a sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The person is asked for something; answer with [`Answer`](crate::request::Answer).
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
    /// The person is to open an address, on any device, and to type a code there; then comes [`Wait`](crate::request::Wait).
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
    /// A page is to be opened in a browser on this machine; then comes [`Wait`](crate::request::Wait). Elsewhere, the address that the
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
    /// The second factor: six digits of an authenticator app, or a recovery code; not to be echoed on a terminal.
    SecondFactor,
}
