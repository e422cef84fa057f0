//! What a start finds: files as the last agent, a crash, or another program left them.

use crate::job::{Found, Loaded, StoreJob};
use crate::profile::{Account, Profile};
use crate::record::{Fingerprint, Intent, Journal, Over, Session};
use crate::rotation::{Doubt, Fresh, Rotation};
use crate::time::Moment;
use crate::trouble::{Notice, StoreKind, StoreTrouble};

impl Profile {
    pub(crate) fn loaded(&mut self, now: &Moment, loaded: Loaded) {
        let Loaded { owner, file, journal, sidecar, revocations } = loaded;
        self.owner = owner;
        let known = sidecar.is_some();
        self.sidecar = sidecar.unwrap_or_default();
        let before = self.sealed.take();
        self.unjudged = None;
        match &file {
            Found::Session { session, .. } => self.promote_pending(session.fingerprint()),
            Found::Missing => self.drop_pending(),
            // Not known yet what it holds.
            Found::Damaged(_) | Found::Unusable(_) => {}
        }
        if self.owner.is_err() {
            return self.looked(now, file);
        }
        self.take_revocations(now, revocations);

        if let Found::Session { session, .. } = &file
            && self.sign_out_was_cut_short(session.fingerprint())
        {
            self.look = self.rest_look(now);
            self.tell(Notice::Recovered);
            return self.erase_again(now, session);
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
            // What the journal says can't be judged before the file can be read.
            Ok(Journal::Intent(intent) | Journal::Outcome(intent, _))
                if let Some(why) = self.unreadable(&file) =>
            {
                self.unjudged = Some(intent.parent);
                self.seal(now, file, why, before);
            }
            Ok(Journal::Intent(intent)) if print == Some(intent.parent) => {
                self.looked(now, file);
                self.open_intent(now, intent, known);
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
            Err(why) => self.seal(now, file, why, before),
        }
    }

    /// A sign-in counts once the file holds its token; until then the old session stands.
    pub(crate) fn promote_pending(&mut self, print: Fingerprint) {
        match self.sidecar.pending.take() {
            Some(pending) if pending.fingerprint == print => {
                self.sidecar.pin = Some(pending);
                self.sidecar.epoch = self.sidecar.epoch.saturating_add(1);
                self.books.must_write();
            }
            // A sign-in being stored right now still needs its own.
            Some(pending) if self.flow.as_ref().is_some_and(|flow| flow.is_storing()) => {
                self.sidecar.pending = Some(pending);
            }
            Some(_) => self.books.must_write(),
            None => {}
        }
    }

    fn drop_pending(&mut self) {
        if self.sidecar.pending.take().is_some() {
            self.books.must_write();
        }
    }

    /// The side-car says so, or the server was about to be told.
    fn sign_out_was_cut_short(&self, print: Fingerprint) -> bool {
        let spent = self.sidecar.is_spent(print);
        self.sidecar.signing_out == Some(print)
            || self.sidecar.signing_out.is_some() && spent.is_some()
            || spent.is_none() && self.revocations.iter().any(|r| r.is_for(print))
    }

    fn unreadable(&self, file: &Found) -> Option<StoreTrouble> {
        match file {
            Found::Unusable(why) => Some(why.clone()),
            Found::Damaged(_) => {
                Some(StoreTrouble { path: self.settings.session_file.clone(), kind: StoreKind::Damaged })
            }
            Found::Session { .. } | Found::Missing => None,
        }
    }

    /// A sign-in or sign-out has come after the intent; with a lost side-car nobody can say so (F12).
    fn is_outdated(&self, known: bool, intent: &Intent) -> bool {
        known && self.sidecar.epoch > intent.epoch
    }

    /// The token may have been sent and is not the file's any more, or must not be.
    fn close_intent(&mut self, now: &Moment, intent: &Intent) {
        self.close(now, intent.parent);
    }

    /// A sign-in or sign-out comes before the sealed journal could be judged, and clears it.
    pub(crate) fn close_unjudged(&mut self, now: &Moment) {
        if let Some(parent) = self.unjudged.take() {
            self.close(now, parent);
        }
    }

    fn close(&mut self, now: &Moment, parent: Fingerprint) {
        let until = now.wall.saturating_add(crate::policy::LONGEST_RETRY_AFTER_SECS * 90);
        self.sidecar.spend(parent, until, Over::Restored, now.wall);
        self.books.must_write();
    }

    /// The token may have been sent: only what its server allows may follow.
    fn open_intent(&mut self, now: &Moment, intent: Intent, known: bool) {
        if !known {
            self.sidecar.epoch = intent.epoch;
        }
        let closed = self.closed(now);
        self.with_held(|held| {
            if held.over().is_none() {
                held.vetted = true;
                let (doubtful, rotating_since) = (true, None);
                held.rotation = Rotation::Doubt(Doubt { intent, doubtful, rotating_since, closed });
            }
        });
    }

    /// The outcome is whole and the file still holds its parent: only the exchange is missing.
    fn roll_forward(&mut self, now: &Moment, intent: Intent, session: Session) {
        let lifetime = self.sidecar.pin.as_ref().and_then(|pin| pin.lifetime_secs);
        let fresh = Fresh::read(now, session.clone(), lifetime, intent.capability);
        if matches!(&self.account, Account::In(held) if held.over().is_none()) {
            self.tell(Notice::Recovered);
            let op = self.store(StoreJob::Replace { parent: Some(intent.parent), session });
            self.with_held(|held| held.rotation = Rotation::Replacing(op, intent, fresh));
        }
    }

    fn seal(&mut self, now: &Moment, file: Found, why: StoreTrouble, before: Option<StoreTrouble>) {
        if before.as_ref() != Some(&why) {
            self.tell(Notice::StoreFailed(why.clone()));
        }
        self.sealed = Some(why);
        self.looked(now, file);
    }
}
