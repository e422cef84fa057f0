//! Why something was not done in a team.

use std::time::Duration;

use crate::actions::bearer_session::from_bearer_error;
use crate::actions::limit::from_limit_error;
use crate::actions::server_error::{ServerError, action_error};
use crate::rules::text::InvalidText;

/// Something was not done in a team.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// The access token opens nothing.
    #[error("unauthorized")]
    Unauthorized,
    /// What was asked makes no sense; the text, for people, says why.
    #[error("invalid: {0}")]
    Invalid(String),
    /// There is no such thing, or none that the asker may know of.
    #[error("not found")]
    NotFound,
    /// The asker may know of it, but their role does not allow this.
    #[error("forbidden")]
    Forbidden,
    /// The workspace would be left without an owner.
    #[error("last owner")]
    LastOwner,
    /// The address that is invited belongs to a member.
    #[error("already a member")]
    AlreadyMember,
    /// The workspace is full.
    #[error("too many reports")]
    TooManyReports,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(TeamError);
from_limit_error!(TeamError);
from_bearer_error!(TeamError);

impl From<InvalidText> for TeamError {
    fn from(unfit: InvalidText) -> Self {
        Self::Invalid(unfit.to_string())
    }
}
