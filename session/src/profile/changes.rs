//! What happens when the session file turns out to hold another session, none, or nothing usable: in which order the
//! machines leave the old state and enter the new one.

use crate::context::MachineContext;
use crate::error::{EndReason, SignedOutReason, StoreError, StoreErrorKind};
use crate::input::Op;
use crate::jobs::{FileContent, Loaded};
use crate::login::LoginEvent;
use crate::notice::Notice;
use crate::policy::{LONGEST_RETRY_AFTER_SECS, Renewal};
use crate::profile::{Profile, context};
use crate::reply::ProfileReply;
use crate::rotation::{ArrivedSession, Rotation, RotationEvent};
use crate::session::{Fingerprint, Session, is_another_user};
use crate::session_file::{FileState, JournalVerdict, judge};
use crate::sidecar::Pin;
use crate::time::Moment;

impl Profile {
    /// A start, or whoever had no access until now, has read everything.
    pub(super) fn loaded(&mut self, now: &Moment, loaded: Loaded) {
        let Loaded { owner, file, journal, sidecar, revocations, clients, sign_in } = loaded;
        self.facts.clients.load(clients);
        self.facts.owner = owner;
        let epoch = sidecar.as_ref().map(|sidecar| sidecar.epoch);
        self.sidecar.load(sidecar);
        let sealed_before = self.seal.lift();
        match &file {
            FileContent::Session { session, .. } => self.promote_pending(session.fingerprint()),
            FileContent::Missing if self.sidecar.data().pending.is_some() => {
                self.sidecar.change().pending = None
            }
            // Not known yet what it holds.
            FileContent::Missing | FileContent::Damaged(_) | FileContent::Unusable(_) => {}
        }
        if self.facts.owner.is_err() {
            return self.observed(now, file);
        }
        self.revocations.load(now, revocations);
        if let Some(kept) = sign_in.filter(|_| !self.is_started()) {
            self.sign_in(now, LoginEvent::Kept(kept));
        }
        if let FileContent::Session { session, .. } = &file
            && self.sign_out_was_cut_short(session.fingerprint())
        {
            self.observer.rest(now);
            self.outbox.notify(Notice::Recovered);
            return self.erase_again(now, session);
        }
        // Promoting what was pending may have raised it.
        let epoch = epoch.map(|_| self.sidecar.data().epoch);
        let verdict = judge(journal, &file, epoch, &self.facts.settings.session_file);
        self.act_on(now, verdict, file, epoch.is_some(), sealed_before);
    }

    fn act_on(
        &mut self,
        now: &Moment,
        verdict: JournalVerdict,
        file: FileContent,
        sidecar_known: bool,
        sealed_before: Option<StoreError>,
    ) {
        match verdict {
            JournalVerdict::Nothing => self.observed(now, file),
            JournalVerdict::Spent(token) => {
                self.spend_for_long(now, token);
                self.observed(now, file);
            }
            JournalVerdict::Open(intent) => {
                self.observed(now, file);
                if !sidecar_known {
                    self.sidecar.note().epoch = intent.epoch;
                }
                let cx = context!(self, now);
                if let Some(rotation) = self.file.rotation_mut() {
                    rotation.open_intent(&cx, intent);
                }
            }
            JournalVerdict::RollForward(intent, session) => {
                self.observed(now, file);
                let cx = context!(self, now);
                if let Some(rotation) = self.file.rotation_mut().filter(|one| one.over().is_none()) {
                    self.outbox.notify(Notice::Recovered);
                    rotation.roll_forward(&cx, intent, session, &mut self.outbox);
                }
            }
            JournalVerdict::Stored(intent, session) => {
                self.spend_for_long(now, intent.parent);
                let arrived = ArrivedSession::read(now, session, None, intent.capability);
                let pin = self.sidecar.data().pin.as_ref();
                let lifetime_secs = pin.map_or(arrived.lifetime_secs, |pin| pin.lifetime_secs);
                self.pin_to(&ArrivedSession { lifetime_secs, ..arrived }, intent.server);
                self.observed(now, file);
            }
            JournalVerdict::Sealed(why, unjudged) => {
                if sealed_before.as_ref() != Some(&why) {
                    self.outbox.notify(Notice::StoreFailed(why.clone()));
                }
                self.seal.put(why, unjudged);
                self.observed(now, file);
            }
        }
    }

    /// What the session file holds, whoever read it.
    pub(super) fn observed(&mut self, now: &Moment, found: FileContent) {
        let Some(considered) = self.observer.observed(now, &found) else { return };
        let rotation = self.file.rotation();
        // While an outcome is being stored, the exchange itself finds out what is in the file.
        if rotation.is_some_and(|rotation| rotation.decides_about(&found)) || self.sign_out.is_erasing() {
            return;
        }
        match found {
            FileContent::Session { session, tightened } => {
                if tightened {
                    self.outbox.notify(Notice::Tightened);
                }
                self.found_session(now, session);
            }
            FileContent::Missing => self.found_nothing(now, SignedOutReason::Removed),
            FileContent::Damaged(_) if self.facts.owner.is_err() => {
                let path = self.facts.settings.session_file.clone();
                self.found_unusable(now, StoreError { path, kind: StoreErrorKind::Damaged });
            }
            FileContent::Damaged(digest) => self.observer.damaged(now, digest, &considered, &mut self.outbox),
            FileContent::Unusable(why) => self.found_unusable(now, why),
        }
    }

    pub(super) fn set_aside(&mut self, now: &Moment, op: Op, result: Result<Option<String>, StoreError>) {
        if !self.observer.set_aside(now, op) {
            return;
        }
        let unstored = self.file.rotation().is_some_and(Rotation::holds_unstored);
        match result {
            Ok(Some(name)) => {
                self.outbox.notify(Notice::SetAside(name.clone()));
                if unstored {
                    self.rotate(now, RotationEvent::FileSetAside);
                } else {
                    self.found_nothing(now, SignedOutReason::SetAside(name));
                }
            }
            Ok(None) => self.observer.read_soon(now),
            Err(why) if unstored => self.outbox.notify(Notice::StoreFailed(why)),
            Err(why) => self.found_unusable(now, why),
        }
    }

    fn found_session(&mut self, now: &Moment, session: Session) {
        let cx = context!(self, now);
        match self.file.rotation_mut().filter(|one| one.fingerprint() == session.fingerprint()) {
            Some(rotation) => rotation.found_again(&cx, session, &mut self.outbox),
            None => self.adopt(now, session),
        }
    }

    /// Takes over a session that another program wrote.
    fn adopt(&mut self, now: &Moment, session: Session) {
        let token = session.fingerprint();
        let before = self.file.rotation();
        if before.is_some_and(|before| is_another_user(before.session(), &session)) {
            self.waiters.account_changed(&mut self.outbox);
        }
        self.leave(now, Some(&session));
        self.promote_pending(token);
        if self.file.rotation().is_none() {
            self.spend_last_unless(now, token);
        }
        let first = !self.is_started();
        let ours = self.sidecar.data().pin.as_ref().is_some_and(|pin| pin.fingerprint == token);
        let cx = context!(self, now);
        let rotation = Rotation::adopted(&cx, session, first);
        let over = rotation.over();
        self.enter(now, FileState::SignedIn(Box::new(rotation)));
        if !first || !ours {
            self.outbox.notify(Notice::Adopted);
        }
        if let Some(over) = over {
            self.outbox.notify(Notice::Ended(over));
        }
    }

    /// Somebody has signed in, and the file holds their session.
    pub(super) fn enter_signed_in(&mut self, now: &Moment, arrived: ArrivedSession, server: String) {
        self.leave(now, None);
        self.spend_unjudged(now);
        // Who asks for itself is the same client as before.
        let renewed = self.credentials_grant.is_under_way();
        if !renewed {
            self.waiters.account_changed(&mut self.outbox);
        }
        let sidecar = self.sidecar.change();
        sidecar.raise_epoch();
        sidecar.signing_out = None;
        sidecar.pin = sidecar.pending.take();
        self.pin_to(&arrived, server);
        let user = arrived.session.holder.user.clone();
        let again = renewed && self.file.rotation().is_some();
        let asked = arrived.asked;
        let mut rotation = Rotation::signed_in(now, arrived, &self.facts.settings.policy);
        if again {
            rotation.asked_for(asked);
        }
        self.file = FileState::SignedIn(Box::new(rotation));
        self.facts.unpinned_server = None;
        self.outbox.notify(if again { Notice::Refreshed } else { Notice::SignedIn });
        if renewed {
            self.credentials_grant_succeeded();
        }
        self.login.finish(ProfileReply::SignedIn { user, already: false }, &mut self.outbox);
    }

    fn found_nothing(&mut self, now: &Moment, why: SignedOutReason) {
        match &self.file {
            FileState::SignedIn(_) => {
                self.leave(now, None);
                self.sidecar.change().raise_epoch();
                self.outbox.notify(Notice::SignedOut(why.clone()));
                self.enter_signed_out(now, why);
            }
            FileState::Unread => {
                let why = if why == SignedOutReason::Removed { SignedOutReason::NoFile } else { why };
                self.enter_signed_out(now, why);
            }
            FileState::Unusable(_) => self.enter_signed_out(now, why),
            // The first reason is the one to show.
            FileState::SignedOut(SignedOutReason::NoFile | SignedOutReason::Removed)
                if why != SignedOutReason::Removed =>
            {
                self.enter_signed_out(now, why);
            }
            FileState::SignedOut(_) => {}
        }
    }

    fn found_unusable(&mut self, now: &Moment, why: StoreError) {
        match &mut self.file {
            FileState::Unusable(before) if *before == why => {}
            FileState::SignedIn(rotation) if matches!(why.kind, StoreErrorKind::Os(_)) => {
                if rotation.file_unreadable(&why) {
                    self.outbox.notify(Notice::StoreFailed(why));
                }
            }
            FileState::SignedIn(_) | FileState::Unread | FileState::SignedOut(_) | FileState::Unusable(_) => {
                self.leave(now, None);
                self.outbox.notify(Notice::StoreFailed(why.clone()));
                self.enter(now, FileState::Unusable(why));
            }
        }
    }

    /// The session in memory is not the file's any more.
    fn leave(&mut self, now: &Moment, winner: Option<&Session>) {
        let cx = context!(self, now);
        if let Some(rotation) = self.file.rotation_mut() {
            let outcomes = rotation.leave(&cx, winner, &mut self.outbox);
            self.rotated(now, outcomes);
        }
    }

    /// A sign-in counts once the file holds its token; until then the old session stands.
    fn promote_pending(&mut self, token: Fingerprint) {
        let Some(pending) = self.sidecar.data().pending.clone() else { return };
        if pending.fingerprint == token {
            let sidecar = self.sidecar.change();
            (sidecar.pin, sidecar.pending) = (Some(pending), None);
            sidecar.raise_epoch();
        } else if !self.login.is_storing() {
            self.sidecar.change().pending = None;
        }
    }

    /// Remembers that everkey itself wrote this session, and what holds for it.
    pub(super) fn pin_to(&mut self, arrived: &ArrivedSession, server: String) {
        let sidecar = self.sidecar.change();
        let before = sidecar.pin.as_ref();
        let span = before.map(|pin| pin.span.clone()).unwrap_or_default();
        sidecar.pin = Some(Pin {
            fingerprint: arrived.session.fingerprint(),
            server,
            capability: arrived.capability,
            lifetime_secs: arrived.lifetime_secs,
            scheme: before.and_then(|pin| pin.scheme),
            span: span.refreshed(&arrived.session, arrived.sign_in_ends_at),
            user: arrived.session.holder.user.clone(),
            about: arrived.session.holder.about.clone(),
        });
        self.seal.replaced();
    }

    pub(super) fn spend(&mut self, now: &Moment, token: Fingerprint, until: u64) {
        self.sidecar.change().spend(token, until, EndReason::Restored, now.wall);
    }

    /// The token may have been sent, and nobody knows how long it works.
    fn spend_for_long(&mut self, now: &Moment, token: Fingerprint) {
        self.spend(now, token, now.wall.saturating_add(LONGEST_RETRY_AFTER_SECS * 90));
    }

    /// A sign-in or sign-out comes before the sealed journal could be judged, and clears it.
    pub(super) fn spend_unjudged(&mut self, now: &Moment) {
        if let Some(token) = self.seal.take_unjudged() {
            self.spend_for_long(now, token);
        }
    }

    /// What everkey wrote last was replaced while nobody looked: whoever did may have used its token.
    fn spend_last_unless(&mut self, now: &Moment, token: Fingerprint) {
        let sidecar = self.sidecar.data();
        let Some(last) = sidecar.pin.as_ref().map(|pin| pin.fingerprint) else { return };
        let refreshes = self.facts.settings.policy.renewal == Renewal::RefreshToken;
        if last != token && refreshes && sidecar.is_spent(last).is_none() {
            self.spend_for_long(now, last);
        }
    }
}
