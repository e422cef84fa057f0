//! Why a session was not refreshed or ended.

use std::time::Duration;

use crate::actions::server_error::{ServerError, action_error};

/// A refresh token was not taken.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// The refresh token can't be used, now or ever.
    #[error("invalid grant")]
    InvalidGrant,
    /// The scope is malformed, or more than was granted.
    #[error("invalid scope")]
    InvalidScope,
    /// Another request with the same refresh token is or was just under way; nothing was changed.
    #[error("rotation in progress")]
    RotationInProgress,
    /// The request's deadline is over or too far ahead; nothing was changed.
    #[error("deadline missed")]
    DeadlineMissed,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(GrantError);
