//! The sign-in that is in the way of another.

use crate::request::{FlowId, SignInMethod};
use serde::{Deserialize, Serialize};

/// A sign-in that somebody else has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInUnderWay {
    /// The flow.
    pub flow: FlowId,
    /// How the person signs in.
    pub scheme: SignInMethod,
    /// The api-server's base URL.
    pub server: String,
    /// The address that a code was sent to, if one was.
    pub email: Option<String>,
    /// Unix seconds at which it began.
    pub started_at: u64,
}
