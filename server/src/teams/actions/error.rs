//! Why something was not done in a team.

use std::time::Duration;

use crate::actions::bearer_session::from_bearer_error;
use crate::actions::limit::from_limit_error;
use crate::actions::server_error::{ServerError, action_error};
use crate::rules::text::InvalidText;
use crate::teams::rules::manifest::{InvalidManifest, Usage};

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
    /// It outlives the session, and the last sign-in was too long ago.
    #[error("stale")]
    Stale,
    /// The workspace would be left without an owner.
    #[error("last owner")]
    LastOwner,
    /// The address that is invited belongs to a member.
    #[error("already a member")]
    AlreadyMember,
    /// The workspace is full.
    #[error("too many reports")]
    TooManyReports,
    /// This server keeps no files.
    #[error("no files here")]
    NoFiles,
    /// A file is larger, or a report has more of them, than may be; the text, for people, says so.
    #[error("too large: {0}")]
    TooLarge(String),
    /// The workspace has no room for these files.
    #[error("no room for files")]
    NoRoom { used: Usage, quota: Usage },
    /// The files of this user's reports fill what one user may have.
    #[error("no room for more of this user's files")]
    UserFull,
    /// The store of files has no room for more, whoever asks.
    #[error("the store is full")]
    StoreFull,
    /// The file has its content already.
    #[error("already stored")]
    AlreadyStored,
    /// The report has not all its files yet.
    #[error("incomplete")]
    Incomplete,
    /// A file did not arrive as the manifest says, or not at all.
    #[error("not received: {0}")]
    NotReceived(NotReceived),
    /// The stored file is not what was sent once.
    #[error("damaged")]
    Damaged,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Why a file was not taken in; nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReceived {
    #[error("its size is not the manifest's")]
    Size,
    #[error("its SHA-256 is not the manifest's")]
    Digest,
    #[error("it ended early")]
    Interrupted,
    #[error("it came too slowly")]
    Slow,
}

action_error!(TeamError);
from_limit_error!(TeamError);
from_bearer_error!(TeamError);

impl From<InvalidText> for TeamError {
    fn from(unfit: InvalidText) -> Self {
        Self::Invalid(unfit.to_string())
    }
}

impl From<InvalidManifest> for TeamError {
    fn from(invalid: InvalidManifest) -> Self {
        match invalid {
            InvalidManifest::TooMany(_) | InvalidManifest::TooLarge(_) => Self::TooLarge(invalid.to_string()),
            InvalidManifest::Size
            | InvalidManifest::Sha256
            | InvalidManifest::Name
            | InvalidManifest::Twice
            | InvalidManifest::Folder
            | InvalidManifest::MediaType => Self::Invalid(invalid.to_string()),
        }
    }
}
