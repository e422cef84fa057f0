//! Why someone was not signed in.

use std::time::Duration;

use crate::actions::server_error::{ServerError, action_error};

/// Someone was not signed in, or not sent a code.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// The login code is wrong, dead, or there is none; which one is not told.
    #[error("code rejected")]
    CodeRejected,
    /// The code was right and is not used up; a second factor is missing.
    #[error("second factor required")]
    SecondFactorRequired,
    /// The code was right and is not used up; the second factor was wrong, and is counted.
    #[error("second factor rejected")]
    SecondFactorRejected,
    /// The browser has no sign-in under way.
    #[error("no sign-in is under way")]
    NotUnderWay,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(SignInError);
