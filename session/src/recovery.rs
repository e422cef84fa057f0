//! What a start finds: files as the last agent, a crash, or another program left them.

use crate::event::{Found, Loaded, StoreJob};
use crate::profile::{Account, Profile};
use crate::record::{Intent, Journal, Over, Session};
use crate::rotation::{Doubt, Fresh, Rotation};
use crate::time::Moment;
use crate::trouble::{Notice, StoreTrouble};

impl Profile {
    pub(crate) fn loaded(&mut self, now: &Moment, loaded: Loaded) {
        let Loaded { owner, file, journal, sidecar, revocations } = loaded;
        self.owner = owner;
        let known = sidecar.is_some();
        self.sidecar = sidecar.unwrap_or_default();
        self.promote_pending(&file);
        if self.owner.is_err() {
            return self.looked(now, file);
        }
        self.take_revocations(now, revocations);

        if self.sign_out_was_cut_short(&file) {
            self.tell(Notice::Recovered);
            return self.erase_again(now);
        }
        let print = match &file {
            Found::Session { session, .. } => Some(session.fingerprint()),
            Found::Missing | Found::Damaged(_) | Found::Unusable(_) => None,
        };
        match journal {
            Ok(Journal::Empty) => self.looked(now, file),
            Ok(Journal::Intent(intent) | Journal::Outcome(intent, _)) if self.is_outdated(known, &intent) => {
                self.close_intent(now, &intent);
                self.looked(now, file);
            }
            Ok(Journal::Intent(intent)) if print == Some(intent.parent) => {
                self.looked(now, file);
                self.open_intent(intent, known);
            }
            Ok(Journal::Outcome(intent, session)) if print == Some(intent.parent) => {
                self.looked(now, file);
                self.roll_forward(now, intent, session);
            }
            Ok(Journal::Outcome(intent, session)) if print == Some(session.fingerprint()) => {
                self.close_intent(now, &intent);
                let fresh = Fresh::read(now, session, None, intent.capability);
                let lifetime_secs =
                    self.sidecar.pin.as_ref().map_or(fresh.lifetime_secs, |pin| pin.lifetime_secs);
                self.pin_to(&Fresh { lifetime_secs, ..fresh }, intent.server);
                self.looked(now, file);
            }
            Ok(Journal::Intent(intent) | Journal::Outcome(intent, _)) => {
                self.close_intent(now, &intent);
                self.looked(now, file);
            }
            Err(why) => self.seal(now, file, why),
        }
    }

    /// A sign-in counts once the file holds its token; until then the old session stands.
    fn promote_pending(&mut self, file: &Found) {
        let Some(pending) = self.sidecar.pending.take() else { return };
        match file {
            Found::Session { session, .. } if session.fingerprint() == pending.fingerprint => {
                self.sidecar.pin = Some(pending);
                self.sidecar.epoch = self.sidecar.epoch.saturating_add(1);
            }
            Found::Session { .. } | Found::Missing | Found::Damaged(_) | Found::Unusable(_) => {}
        }
        self.books.must_write();
    }

    fn sign_out_was_cut_short(&self, file: &Found) -> bool {
        match file {
            Found::Session { session, .. } => self.sidecar.signing_out == Some(session.fingerprint()),
            Found::Missing | Found::Damaged(_) | Found::Unusable(_) => false,
        }
    }

    /// A sign-in or sign-out has come after the intent; with a lost side-car nobody can say so (F12).
    fn is_outdated(&self, known: bool, intent: &Intent) -> bool {
        known && self.sidecar.epoch > intent.epoch
    }

    /// The token may have been sent and is not the file's any more, or must not be.
    fn close_intent(&mut self, now: &Moment, intent: &Intent) {
        let until = now.wall.saturating_add(crate::policy::LONGEST_RETRY_AFTER_SECS * 90);
        self.sidecar.spend(intent.parent, until, Over::Restored, now.wall);
        self.books.must_write();
    }

    /// The token may have been sent: only what its server allows may follow.
    fn open_intent(&mut self, intent: Intent, known: bool) {
        if !known {
            self.sidecar.epoch = intent.epoch;
        }
        self.with_held(|held| {
            if held.over().is_none() {
                held.vetted = true;
                held.rotation = Rotation::Doubt(Doubt { intent, doubtful: true, rotating_since: None });
            }
        });
    }

    /// The outcome is whole and the file still holds its parent: only the exchange is missing.
    fn roll_forward(&mut self, now: &Moment, intent: Intent, session: Session) {
        let lifetime = self.sidecar.pin.as_ref().map(|pin| pin.lifetime_secs);
        let fresh = Fresh::read(now, session.clone(), lifetime, intent.capability);
        if matches!(&self.account, Account::In(held) if held.over().is_none()) {
            self.tell(Notice::Recovered);
            let op = self.store(StoreJob::Replace { parent: Some(intent.parent), session });
            self.with_held(|held| held.rotation = Rotation::Replacing(op, intent, fresh));
        }
    }

    fn seal(&mut self, now: &Moment, file: Found, why: StoreTrouble) {
        self.tell(Notice::StoreFailed(why.clone()));
        self.sealed = Some(why);
        self.looked(now, file);
    }
}
