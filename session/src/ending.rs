//! Ends: work under way for a session that is not wanted any more, tokens that arrive all the same, and sessions
//! that are over for good.

use crate::Op;
use crate::profile::{Account, Profile};
use crate::record::{Grant, Holder, Over, Revocation};
use crate::registration::At;
use crate::rotation::{Fresh, Rotation};
use crate::time::Moment;
use crate::trouble::Notice;

/// A call whose session is not wanted any more; its answer is discarded.
pub(crate) struct Abandoned {
    op: Op,
    at: At,
    /// Whether a successor that still arrives is to be revoked.
    revoke: bool,
}

impl Profile {
    /// The session file's session is not ours any more: whatever is under way for it comes to nothing.
    pub(crate) fn abandon(&mut self, revoke: bool) {
        let at = self.at();
        let Account::In(held) = &mut self.account else { return };
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Sending(op, ..) => self.abandoned.push(Abandoned { op, at, revoke }),
            Rotation::Connecting(op, _) | Rotation::Noting { connection: op, .. } => self.cancel(op),
            Rotation::Vetting(op) | Rotation::Probing(op, _) => self.cancel(op),
            Rotation::Looking(_, attempt) => {
                if let Some(connection) = attempt.connection {
                    self.cancel(connection);
                }
            }
            Rotation::Rest
            | Rotation::Doubt(_)
            | Rotation::Rechecking(..)
            | Rotation::Unconfirmed
            | Rotation::Committing(..)
            | Rotation::Replacing(..)
            | Rotation::Stuck { .. }
            | Rotation::Over(_) => {}
        }
    }

    pub(crate) fn take_abandoned(&mut self, op: Op) -> Option<Abandoned> {
        let at = self.abandoned.iter().position(|abandoned| abandoned.op == op)?;
        Some(self.abandoned.remove(at))
    }

    /// Tokens have arrived that nobody wants any more.
    pub(crate) fn discard(&mut self, now: &Moment, abandoned: Abandoned, grant: Grant) {
        if abandoned.revoke {
            self.take_back(now, abandoned.at, grant);
        }
    }

    /// Has the server told that nobody will use these tokens.
    pub(crate) fn take_back(&mut self, now: &Moment, at: At, grant: Grant) {
        let session = Fresh::arrived(now, now.boot, grant, Holder::default()).session;
        let revocation = Revocation { at, ..self.revocation(now, &session) };
        self.queue_revocation(now, revocation);
    }

    /// The session is over for good: its token is never sent again, not even after a restart.
    pub(crate) fn end_session(&mut self, now: &Moment, over: Over) {
        let Account::In(held) = &mut self.account else { return };
        let (print, until) = (held.fingerprint(), held.session.works_until(now.wall));
        held.rotation = Rotation::Over(over);
        held.last = None;
        self.sidecar.spend(print, until, over, now.wall);
        self.books.must_write();
        self.tell(Notice::Ended(over));
    }

    /// Another rotation of the same token never ends: the server is told to forget the session, for a new sign-in.
    pub(crate) fn give_up_contested(&mut self, now: &Moment) {
        let Account::In(held) = &self.account else { return };
        let session = held.session.clone();
        let revocation = self.revocation(now, &session);
        self.queue_revocation(now, revocation);
        self.end_session(now, Over::Contested);
    }
}

impl Abandoned {
    /// A call whose tokens, if any still arrive, are to be revoked there.
    pub fn to_revoke(op: Op, at: At) -> Self {
        Self { op, at, revoke: true }
    }
}
