//! Why a personal access token was not made, listed, revoked or taken.

use std::time::Duration;

use crate::actions::bearer_session::from_bearer_error;
use crate::actions::limit::from_limit_error;
use crate::actions::server_error::{ServerError, action_error};

/// A personal access token was not made, listed, revoked or taken.
#[derive(Debug, thiserror::Error)]
pub enum PersonalTokenError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// The access token opens nothing.
    #[error("unauthorized")]
    Unauthorized,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(PersonalTokenError);
from_limit_error!(PersonalTokenError);
from_bearer_error!(PersonalTokenError);
