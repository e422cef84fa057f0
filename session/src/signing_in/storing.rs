//! The end of a sign-in: pinned, written, looked at, and only then told.

use super::{Flow, Stage, Waiting};
use crate::event::Answer;
use crate::job::{Found, Replaced, StoreJob};
use crate::profile::{Account, Profile};
use crate::record::{Grant, Holder, Pin};
use crate::registration::{At, Registration};
use crate::rotation::{Fresh, SignedIn};
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, StoreKind, StoreTrouble, Trouble};

impl Profile {
    /// The pin is made durable first and counts once the file holds its token, so that a crash in between
    /// can't send one server's token to another.
    pub(super) fn store_sign_in(
        &mut self,
        now: &Moment,
        asked: Boot,
        grant: Grant,
        registration: Option<Box<Registration>>,
    ) {
        let Some(flow) = &self.flow else { return };
        let (server, scheme) = (flow.server.clone(), flow.machine.scheme());
        // What the file holds beside the session stays in it.
        let fixed = match &self.account {
            Account::In(held) => held.session.holder.fixed.clone(),
            Account::Starting(_) | Account::Out(_) | Account::Unusable(_) => None,
        };
        let holder = Holder {
            user: grant.user.clone(),
            about: grant.about.clone(),
            server: Some(server.clone()),
            registration: registration.map(|known| *known),
            fixed,
        };
        let fresh = Box::new(Fresh::arrived(now, asked, grant, holder));
        self.sidecar.pending = Some(Pin {
            fingerprint: fresh.session.fingerprint(),
            server,
            capability: fresh.capability,
            lifetime_secs: fresh.lifetime_secs,
            scheme: Some(scheme),
            user: fresh.session.holder.user.clone(),
            about: fresh.session.holder.about.clone(),
        });
        let op = self.store(StoreJob::Remember(self.sidecar.clone()));
        self.set_stage(Stage::Remembering(op, fresh));
    }

    pub(crate) fn sign_in_remembered(&mut self, now: &Moment, result: Result<(), StoreTrouble>) {
        let Some(Flow { stage: Stage::Remembering(_, fresh), .. }) = &self.flow else { return };
        let fresh = fresh.clone();
        match result {
            Ok(()) => {
                let session = fresh.session.clone();
                let op = self.store(StoreJob::Replace { parent: None, session });
                self.set_stage(Stage::Writing(op, fresh));
            }
            Err(why) => self.sign_in_not_stored(now, &fresh, why),
        }
    }

    pub(crate) fn sign_in_replaced(&mut self, now: &Moment, result: Result<Replaced, StoreTrouble>) {
        let Some(Flow { stage: Stage::Writing(_, fresh), .. }) = &self.flow else { return };
        let fresh = fresh.clone();
        match result {
            Ok(Replaced::Done) => self.signed_in(now, fresh),
            // With no parent given there is nothing to give way to; if it happens, the file is another's.
            Ok(Replaced::GaveWay(found)) => {
                let path = self.settings.session_file.clone();
                self.sign_in_not_stored(now, &fresh, StoreTrouble { path, kind: StoreKind::Damaged });
                self.looked(now, *found);
            }
            Err(why) => {
                let op = self.store(StoreJob::Look);
                self.set_stage(Stage::Checking(op, fresh, why));
            }
        }
    }

    /// What the file holds after a failed write decides: the old session must not be lost to a sign-in that failed,
    /// nor the new one be revoked while it is the file's.
    pub(crate) fn sign_in_checked(&mut self, now: &Moment, found: Found) {
        let Some(Flow { stage: Stage::Checking(_, fresh, why), .. }) = &self.flow else { return };
        let (fresh, why) = (fresh.clone(), why.clone());
        match found {
            Found::Session { session, .. } if session.fingerprint() == fresh.session.fingerprint() => {
                self.tell(Notice::StoreFailed(why));
                self.signed_in(now, fresh);
            }
            Found::Session { .. } | Found::Missing | Found::Damaged(_) | Found::Unusable(_) => {
                self.sign_in_not_stored(now, &fresh, why);
            }
        }
    }

    pub(super) fn signed_in(&mut self, now: &Moment, fresh: Box<Fresh>) {
        let Some(server) = self.flow.as_ref().map(|flow| flow.server.clone()) else { return };
        self.leave(now, None);
        self.close_unjudged(now);
        self.tell_account_changed();
        self.sidecar.epoch = self.sidecar.epoch.saturating_add(1);
        self.sidecar.signing_out = None;
        self.sidecar.pin = self.sidecar.pending.take();
        self.pin_to(&fresh, server);
        self.books.must_write();
        let user = fresh.session.holder.user.clone();
        let mut held = SignedIn::new(now, *fresh, self.settings.policy.margin_secs);
        held.vetted = true;
        self.account = Account::In(Box::new(held));
        self.tell(Notice::SignedIn);
        if let Some(flow) = self.flow.take() {
            self.stop_listening(&flow);
            let how = Answer::SignedIn { user, already: false };
            for Waiting { waiter, .. } in flow.waiters {
                self.reply(waiter, how.clone());
            }
            self.ended = Some((flow.id, how));
        }
    }

    /// Nothing has changed here; the session that nobody can keep is taken back.
    pub(super) fn sign_in_not_stored(&mut self, now: &Moment, fresh: &Fresh, why: StoreTrouble) {
        let server = self.flow.as_ref().map(|flow| flow.server.clone()).unwrap_or_default();
        let at = At { server, registration: fresh.session.holder.registration.clone() };
        let revocation = crate::record::Revocation { at, ..self.revocation(now, &fresh.session) };
        self.queue_revocation(now, revocation);
        self.sidecar.pending = None;
        self.books.must_write();
        self.tell(Notice::StoreFailed(why.clone()));
        self.fail_flow(now, Trouble::Store(why));
    }
}
