//! A sign-out at work: what the local session still knows is noted, then it is removed, then the server is asked.

use crate::context::MachineContext;
use crate::error::{EndReason, Error, SignedOutReason, StoreError};
use crate::input::{Op, Waiter};
use crate::jobs::StoreJob;
use crate::logout::{can_revoke, revocation_of};
use crate::notice::Notice;
use crate::profile::{Profile, context};
use crate::registration::CallTarget;
use crate::revocation::PendingRevocation;
use crate::session::{Fingerprint, Session};
use crate::session_file::FileState;
use crate::time::Moment;
use everkey_proto::reply;

impl Profile {
    pub(super) fn erase_if_wanted(&mut self, now: &Moment) {
        if self.login.is_storing() {
            return;
        }
        let Some(waiters) = self.sign_out.take_wanted() else { return };
        let cx = context!(self, now);
        let mut revocation = None;
        if let Some(rotation) = self.file.rotation() {
            let (token, newest) = (rotation.fingerprint(), rotation.newest());
            let until = newest.works_until(now.wall).max(rotation.session().works_until(now.wall));
            let at = CallTarget {
                registration: newest.holder.registration.clone(),
                ..cx.target_of(rotation.session())
            };
            // A token that never changes is somebody else's to revoke.
            if !newest.is_only_fixed() && can_revoke(&cx, at.registration.as_ref()) {
                revocation = Some(revocation_of(&cx, at, newest, &self.outbox));
            }
            // An access token alone that is not revoked is as good as before, should somebody paste it again.
            let over = newest.refresh.is_some() || revocation.is_some();
            // Whichever of the two a crash leaves in the file.
            let tokens = [token, newest.fingerprint()];
            let sidecar = self.sidecar.note();
            sidecar.signing_out = Some(token);
            if over {
                sidecar.sign_out(&tokens, until, now.wall);
            }
        }
        let cx = context!(self, now);
        if let Some(rotation) = self.file.rotation_mut() {
            let outcomes = rotation.abandon(&cx, true, &mut self.outbox);
            self.rotated(now, outcomes);
        }
        self.spend_unjudged(now);
        self.erase(now, revocation, waiters);
    }

    /// The side-car says so, or the server was about to be asked.
    pub(super) fn sign_out_was_cut_short(&self, token: Fingerprint) -> bool {
        let sidecar = self.sidecar.data();
        let spent = sidecar.is_spent(token);
        sidecar.signing_out == Some(token)
            || sidecar.signing_out.is_some() && spent.is_some()
            || spent.is_none() && self.revocations.is_queued(token)
    }

    /// A crash came between the decision and the removal.
    pub(super) fn erase_again(&mut self, now: &Moment, session: &Session) {
        let token = session.fingerprint();
        let cx = context!(self, now);
        let at = cx.target_of(session);
        let ask = !session.is_only_fixed()
            && !self.revocations.is_queued(token)
            && can_revoke(&cx, at.registration.as_ref());
        let revocation = ask.then(|| revocation_of(&cx, at, session, &self.outbox));
        let sidecar = self.sidecar.note();
        sidecar.signing_out = Some(token);
        if session.refresh.is_some() || revocation.is_some() {
            sidecar.sign_out(&[token], session.works_until(now.wall), now.wall);
        }
        self.erase(now, revocation, Vec::new());
    }

    fn erase(&mut self, now: &Moment, revocation: Option<PendingRevocation>, waiters: Vec<Waiter>) {
        self.sidecar.note().raise_epoch();
        let sidecar = self.sidecar.data().clone();
        let id = revocation.as_ref().map(|revocation| revocation.id);
        if let Some(revocation) = &revocation {
            self.revocations.push(now, revocation.clone());
        }
        let op = self.outbox.store(StoreJob::Erase { sidecar, revocation });
        self.sign_out.erase(op, id, waiters);
    }

    pub(super) fn erased(&mut self, now: &Moment, op: Op, result: Result<(), StoreError>) {
        if !self.sign_out.owns(op) {
            return;
        }
        self.sidecar.change().signing_out = None;
        if let Err(why) = result {
            return self.not_erased(now, why);
        }
        self.seal.replaced();
        self.login.forget_last();
        let otherwise = match &self.file {
            FileState::SignedIn(_) => {
                self.outbox.notify(Notice::SignedOut(SignedOutReason::NoFile));
                reply::Revocation::Impossible
            }
            FileState::Unusable(_) if !self.facts.settings.policy.revokes => reply::Revocation::Impossible,
            // There was something, and nobody could read what to revoke.
            FileState::Unusable(_) => reply::Revocation::NotConfirmed,
            FileState::SignedOut(_) | FileState::Unread => reply::Revocation::NothingToDo,
        };
        self.waiters.account_changed(&mut self.outbox);
        self.enter_signed_out(now, SignedOutReason::NoFile);
        // Something that is not everkey's may be left in the file.
        self.observer.read_soon(now);
        self.sign_out.erased(now, otherwise, &mut self.outbox);
    }

    /// Perhaps still there, for a fresh look to say; but given up, and what was under way for it is forgotten.
    fn not_erased(&mut self, now: &Moment, why: StoreError) {
        let cx = context!(self, now);
        if let Some(rotation) = self.file.rotation_mut().filter(|one| one.over().is_none()) {
            let outcomes = rotation.end(&cx, EndReason::SignedOut, None);
            self.rotated(now, outcomes);
        }
        self.outbox.notify(Notice::StoreFailed(why.clone()));
        self.sign_out.fail(Error::Store(why), &mut self.outbox);
        self.observer.retry_soon(now);
    }
}
