//! What is worth a line in the log and an event, as data.

use crate::endings::EndingReason;
use crate::error::{EndReason, NetError, SignedOutReason, StoreError};

/// Something worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Somebody signed in.
    SignedIn,
    /// The session was refreshed.
    Refreshed,
    /// A session written by another program was taken over.
    Adopted,
    /// The session file is gone or was given up.
    SignedOut(SignedOutReason),
    /// The session has ended.
    Ended(EndReason),
    /// A refresh could not be tried or is in doubt.
    RefreshFailed(NetError),
    /// A sign-in may be needed before long.
    SignInAhead {
        /// Unix seconds, if that is known.
        by: Option<u64>,
        why: EndingReason,
    },
    /// A file could not be read or written.
    StoreFailed(StoreError),
    /// The session file was readable by others and has been tightened.
    Tightened,
    /// A damaged session file was set aside under this name.
    SetAside(String),
    /// A refresh succeeded while another program replaced the file; that file won.
    GaveWay,
    /// A sign-out cut short by a crash was completed, or a half-written save was rolled forward.
    Recovered,
    /// An answer for another user or session: somebody or something is badly wrong.
    Alarm,
    /// The server has confirmed a sign-out.
    Revoked,
    /// A sign-out was given up unconfirmed.
    RevocationDropped,
}
