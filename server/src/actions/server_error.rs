//! Why the server could not carry an action out, whoever asked for it.

use crate::db::{Contention, DbError};
use crate::keys::seal::NotSealed;

/// The server's own part in why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another transaction came first; nothing was changed, and running the action again may succeed.
    #[error("contended")]
    Contended,
    /// The server can't do it now; nothing was changed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The session of whoever asks has ended meanwhile; nothing was changed.
    #[error("signed out")]
    SignedOut,
    /// There are as many of something as there may be; nothing was changed.
    #[error("there are as many {what} as `{limit}` allows")]
    Full { what: &'static str, limit: &'static str },
    /// Something failed half-way, so whether anything was changed is unknown.
    #[error("failed: {0}")]
    Failed(String),
}

impl Contention for ServerError {
    fn is_contention(&self) -> bool {
        matches!(self, Self::Contended)
    }
}

impl From<DbError> for ServerError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Contended(_) => Self::Contended,
            DbError::Unavailable(_) | DbError::Corrupt(_) => Self::Unavailable(error.to_string()),
            DbError::Unconfirmed(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<getrandom::Error> for ServerError {
    fn from(error: getrandom::Error) -> Self {
        Self::Unavailable(format!("no randomness: {error}"))
    }
}

impl From<NotSealed> for ServerError {
    fn from(error: NotSealed) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Lets `?` turn what happens in every action into the error of a folder, which has a variant `Server(ServerError)`.
macro_rules! action_error {
    ($error:ty) => {
        impl From<$crate::db::DbError> for $error {
            fn from(error: $crate::db::DbError) -> Self {
                Self::Server(error.into())
            }
        }

        impl From<getrandom::Error> for $error {
            fn from(error: getrandom::Error) -> Self {
                Self::Server(error.into())
            }
        }

        impl $crate::db::Contention for $error {
            fn is_contention(&self) -> bool {
                matches!(self, Self::Server($crate::actions::server_error::ServerError::Contended))
            }
        }
    };
}

pub(crate) use action_error;
