//! Why a second factor was not set up or changed.

use std::time::Duration;

use crate::actions::server_error::{ServerError, action_error};

/// A second factor was not set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// There is none that could be confirmed or changed.
    #[error("not found")]
    NotFound,
    /// A second factor is on already.
    #[error("already on")]
    AlreadyOn,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(SecondFactorError);
