//! Why an OAuth client does not get what it asks for, in the terms of RFC 6749 section 5.2.

use std::time::Duration;

use crate::actions::limit::from_limit_error;
use crate::actions::server_error::{ServerError, action_error};

/// An OAuth client does not get what it asks for.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// `invalid_client`: there is no such client, or this is not it; which one is not told.
    #[error("The client is unknown, or did not prove who it is as it registered.")]
    InvalidClient,
    /// `unauthorized_client`: it did not register for this.
    #[error("The client did not register for this grant.")]
    UnauthorizedClient,
    /// `invalid_scope`.
    #[error("The scope is malformed, or more than was granted.")]
    InvalidScope,
    /// `invalid_grant`: the code can't be used, now or ever.
    #[error("invalid grant")]
    InvalidGrant,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(OAuthError);
from_limit_error!(OAuthError);
