//! A sign-out that somebody waits for.

use crate::effect::Outbox;
use crate::error::Error;
use crate::input::{Op, Waiter};
use crate::reply::ProfileReply;
use crate::time::{Boot, Moment, Wake, WakeReason};
use everkey_proto::reply;

/// How long a sign-out waits for the server's answer before it reports that the revocation is queued, in milliseconds.
const PATIENCE_MS: u64 = 5_000;

/// How the sign-out stands.
#[derive(Debug, Default)]
pub(crate) enum SignOut {
    #[default]
    Idle,
    /// As soon as no sign-in is being stored, so that it is clear what is to be removed.
    Wanted(Vec<Waiter>),
    /// The local session is being removed; the server is asked to revoke it only once it is gone.
    Erasing { op: Op, revocation: Option<u64>, waiters: Vec<Waiter> },
    /// It is gone; the server is being asked.
    Confirming { revocation: u64, until: Boot, waiters: Vec<Waiter> },
}

impl SignOut {
    pub fn is_erasing(&self) -> bool {
        matches!(self, Self::Erasing { .. })
    }

    /// The revocation that waits for the local session to be gone.
    pub fn erasing(&self) -> Option<u64> {
        match self {
            Self::Erasing { revocation, .. } => *revocation,
            Self::Idle | Self::Wanted(_) | Self::Confirming { .. } => None,
        }
    }

    pub fn due(&self) -> Option<Wake> {
        match self {
            Self::Idle | Self::Wanted(_) | Self::Erasing { .. } => None,
            Self::Confirming { until, .. } => Some(WakeReason::CLIENT_PATIENCE.at(*until)),
        }
    }

    pub fn forget(&mut self, waiter: Waiter) {
        match self {
            Self::Idle => {}
            Self::Wanted(waiters) | Self::Erasing { waiters, .. } | Self::Confirming { waiters, .. } => {
                waiters.retain(|one| *one != waiter);
            }
        }
    }

    /// Somebody wants it; `signed_in` if there is a session, which may be a newer one than the last sign-out's.
    pub fn want(&mut self, waiter: Waiter, signed_in: bool, out: &mut Outbox) {
        match self {
            Self::Wanted(waiters) | Self::Erasing { waiters, .. } => waiters.push(waiter),
            Self::Confirming { waiters, .. } if !signed_in => waiters.push(waiter),
            Self::Idle | Self::Confirming { .. } => {
                self.report(ProfileReply::LoggedOut(reply::Revocation::Queued), out);
                *self = Self::Wanted(vec![waiter]);
            }
        }
    }

    /// Whether the local session is to be removed now; whoever waits is handed over.
    pub fn take_wanted(&mut self) -> Option<Vec<Waiter>> {
        match std::mem::take(self) {
            Self::Wanted(waiters) => Some(waiters),
            other @ (Self::Idle | Self::Erasing { .. } | Self::Confirming { .. }) => {
                *self = other;
                None
            }
        }
    }

    pub fn erase(&mut self, op: Op, revocation: Option<u64>, waiters: Vec<Waiter>) {
        *self = Self::Erasing { op, revocation, waiters };
    }

    /// Whether this op removed the local session.
    pub fn owns(&self, op: Op) -> bool {
        matches!(self, Self::Erasing { op: mine, .. } if *mine == op)
    }

    /// The local session is gone. `otherwise` is what to report where the server is not asked to revoke anything.
    pub fn erased(&mut self, now: &Moment, otherwise: reply::Revocation, out: &mut Outbox) {
        match std::mem::take(self) {
            Self::Erasing { revocation: Some(revocation), waiters, .. } => {
                let until = now.boot.plus_ms(PATIENCE_MS);
                *self = Self::Confirming { revocation, until, waiters };
            }
            Self::Erasing { revocation: None, waiters, .. } => {
                out.reply_all(waiters, &ProfileReply::LoggedOut(otherwise));
            }
            other @ (Self::Idle | Self::Wanted(_) | Self::Confirming { .. }) => *self = other,
        }
    }

    /// The local session could not be removed.
    pub fn fail(&mut self, why: Error, out: &mut Outbox) {
        match std::mem::take(self) {
            Self::Erasing { waiters, .. } => out.reply_all(waiters, &ProfileReply::Failed(why)),
            other @ (Self::Idle | Self::Wanted(_) | Self::Confirming { .. }) => *self = other,
        }
    }

    /// The server has answered a revocation, perhaps this sign-out's.
    pub fn confirmed(&mut self, id: u64, outcome: ProfileReply, out: &mut Outbox) {
        if matches!(self, Self::Confirming { revocation, .. } if *revocation == id) {
            self.report(outcome, out);
        }
    }

    pub fn expire(&mut self, now: &Moment, out: &mut Outbox) {
        if self.due().is_some_and(|due| due.at <= now.boot) {
            self.report(ProfileReply::LoggedOut(reply::Revocation::Queued), out);
        }
    }

    /// Reports to whoever waits for the server.
    fn report(&mut self, outcome: ProfileReply, out: &mut Outbox) {
        match std::mem::take(self) {
            Self::Confirming { waiters, .. } => out.reply_all(waiters, &outcome),
            other @ (Self::Idle | Self::Wanted(_) | Self::Erasing { .. }) => *self = other,
        }
    }
}
