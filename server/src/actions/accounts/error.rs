//! Why a platform admin was refused.

use crate::actions::bearer_session::from_bearer_error;
use crate::actions::server_error::{ServerError, action_error};

/// A platform admin did not get what they asked for.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The access token opens nothing.
    #[error("unauthorized")]
    Unauthorized,
    /// The asker has not the platform role admin.
    #[error("not a platform admin")]
    NotAdmin,
    /// There is no such account.
    #[error("not found")]
    NotFound,
    /// Admins may not disable or enable their own account.
    #[error("own account")]
    OwnAccount,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(AccountError);
from_bearer_error!(AccountError);
