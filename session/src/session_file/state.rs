//! What the session file holds, as far as is known.

use crate::error::{SignedOutReason, StoreError};
use crate::rotation::Rotation;

/// What the session file holds, as far as is known.
pub(crate) enum FileState {
    /// Not read yet; requests wait.
    Unread,
    /// Nobody is signed in.
    SignedOut(SignedOutReason),
    /// The file can't be used.
    Unusable(StoreError),
    /// A session.
    SignedIn(Box<Rotation>),
}

impl FileState {
    pub fn rotation(&self) -> Option<&Rotation> {
        match self {
            Self::SignedIn(rotation) => Some(rotation),
            Self::Unread | Self::SignedOut(_) | Self::Unusable(_) => None,
        }
    }

    pub fn rotation_mut(&mut self) -> Option<&mut Rotation> {
        match self {
            Self::SignedIn(rotation) => Some(rotation),
            Self::Unread | Self::SignedOut(_) | Self::Unusable(_) => None,
        }
    }
}
