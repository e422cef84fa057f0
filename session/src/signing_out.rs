//! Sign-outs: the local session goes first and at once, then the server is told, for seven days if need be.

use crate::Op;
use crate::event::{Answer, Farewell, Waiter};
use crate::job::{NetJob, RevokeAnswer, StoreJob};
use crate::policy::slow_retry_at;
use crate::profile::{Account, Profile};
use crate::record::{Fingerprint, Over, Revocation, Session};
use crate::registration::Registration;
use crate::rotation::Rotation;
use crate::time::{Boot, Moment};
use crate::trouble::{Notice, Out, StoreTrouble, Trouble};
use everkey_proto::reply;

/// How long a sign-out waits for the server's word before it reports that it is queued, in milliseconds.
const PATIENCE_MS: u64 = 5_000;

/// A sign-out that somebody waits for.
pub(crate) struct SigningOut {
    pub waiters: Vec<Waiter>,
    stage: Stage,
}

enum Stage {
    /// As soon as no sign-in is being stored, so that it is clear what is to be removed.
    Wanted,
    /// The local session is being removed.
    Erasing { op: Op, revocation: Option<u64> },
    /// It is gone; the server is being told.
    Telling { revocation: u64, until: Boot },
}

/// A revocation to be confirmed by its server.
pub(crate) struct ToRevoke {
    pub revocation: Revocation,
    pub next: Boot,
    calling: Option<Op>,
    failures: u32,
    announcement: Announcement,
}

/// What has become of the [`Farewell`] before a revocation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announcement {
    /// It has yet to be said; profiles that don't announce revocations leave it at that.
    Due,
    /// It was said, and the revocation waits.
    Waiting,
    /// It is done.
    Done,
}

impl SigningOut {
    pub fn is_erasing(&self) -> bool {
        matches!(self.stage, Stage::Erasing { .. })
    }

    pub fn until(&self) -> Option<Boot> {
        match self.stage {
            Stage::Wanted | Stage::Erasing { .. } => None,
            Stage::Telling { until, .. } => Some(until),
        }
    }
}

impl Profile {
    pub(crate) fn sign_out(&mut self, waiter: Waiter) {
        if let Err(why) = &self.owner {
            return self.reply(waiter, Answer::Failed(Trouble::NotOwner(why.clone())));
        }
        // A token that everkey did not put there is not everkey's to remove.
        if matches!(&self.account, Account::In(held) if held.session.is_only_fixed()) {
            return self.reply(waiter, Answer::LoggedOut(reply::Revocation::NothingToDo));
        }
        let signed_in_since = matches!(self.account, Account::In(_));
        match &mut self.signing_out {
            Some(SigningOut { stage: Stage::Telling { .. }, .. }) | None if signed_in_since => {
                if let Some(before) = self.signing_out.take() {
                    self.report(before.waiters, reply::Revocation::Queued);
                }
                self.signing_out = Some(SigningOut { waiters: vec![waiter], stage: Stage::Wanted });
            }
            Some(signing_out) => signing_out.waiters.push(waiter),
            None => self.signing_out = Some(SigningOut { waiters: vec![waiter], stage: Stage::Wanted }),
        }
    }

    pub(crate) fn erase_if_wanted(&mut self, now: &Moment) {
        let storing = self.flow.as_ref().is_some_and(|flow| flow.is_storing());
        let wanted = self.signing_out.take_if(|out| !storing && matches!(out.stage, Stage::Wanted));
        let Some(SigningOut { waiters, .. }) = wanted else { return };
        let revocation = match &self.account {
            Account::In(held) => {
                let newest = held.rotation.arrived().unwrap_or(&held.session).clone();
                let print = held.fingerprint();
                let until = newest.works_until(now.wall).max(held.session.works_until(now.wall));
                self.sidecar.signing_out = Some(print);
                // Whichever of the two a crash leaves in the file.
                if newest.refresh.is_some() {
                    self.sidecar.spend(print, until, Over::Restored, now.wall);
                    self.sidecar.spend(newest.fingerprint(), until, Over::Restored, now.wall);
                }
                self.can_revoke(&newest.holder.registration).then(|| self.revocation(now, &newest))
            }
            Account::Out(_) | Account::Unusable(_) | Account::Starting(_) => None,
        };
        self.abandon(true);
        self.close_unjudged(now);
        self.erase(now, revocation, waiters);
    }

    /// A crash came between the decision and the removal.
    pub(crate) fn erase_again(&mut self, now: &Moment, session: &Session) {
        let print = session.fingerprint();
        let queued = self.revocations.iter().any(|r| r.is_for(print));
        let tell = !queued && self.can_revoke(&session.holder.registration);
        let revocation = tell.then(|| self.revocation(now, session));
        self.sidecar.signing_out = Some(print);
        if session.refresh.is_some() {
            self.sidecar.spend(print, session.works_until(now.wall), Over::Restored, now.wall);
        }
        self.erase(now, revocation, Vec::new());
    }

    fn erase(&mut self, now: &Moment, revocation: Option<Revocation>, waiters: Vec<Waiter>) {
        self.sidecar.epoch = self.sidecar.epoch.saturating_add(1);
        let sidecar = self.sidecar.clone();
        let id = revocation.as_ref().map(|revocation| revocation.id);
        if let Some(revocation) = &revocation {
            self.revocations.push(ToRevoke::new(now, revocation.clone()));
        }
        let op = self.store(StoreJob::Erase { sidecar, revocation });
        self.signing_out = Some(SigningOut { waiters, stage: Stage::Erasing { op, revocation: id } });
    }

    pub(crate) fn erased(&mut self, now: &Moment, op: Op, result: Result<(), StoreTrouble>) {
        let Some(mut signing_out) = self.signing_out.take() else { return };
        let revocation = match signing_out.stage {
            Stage::Erasing { op: mine, revocation } if mine == op => revocation,
            Stage::Wanted | Stage::Erasing { .. } | Stage::Telling { .. } => {
                self.signing_out = Some(signing_out);
                return;
            }
        };
        match result {
            Ok(()) => {
                self.sidecar.signing_out = None;
                self.sealed = None;
                self.ended = None;
                self.books.must_write();
                let without_word = match &self.account {
                    Account::In(_) => {
                        self.tell(Notice::SignedOut(Out::NoFile));
                        reply::Revocation::Impossible
                    }
                    Account::Unusable(_) if !self.settings.policy.revokes => reply::Revocation::Impossible,
                    // There was something, and nobody could read what to revoke.
                    Account::Unusable(_) => reply::Revocation::NotConfirmed,
                    Account::Out(_) | Account::Starting(_) => reply::Revocation::NothingToDo,
                };
                self.tell_account_changed();
                self.enter(now, Account::Out(Out::NoFile));
                // Something that is not everkey's may be left in the file.
                self.look_soon(now);
                match revocation {
                    Some(revocation) => {
                        let until = now.boot.plus_ms(PATIENCE_MS);
                        signing_out.stage = Stage::Telling { revocation, until };
                        self.signing_out = Some(signing_out);
                    }
                    None => self.report(signing_out.waiters, without_word),
                }
            }
            Err(why) => {
                // Perhaps still there, for a fresh look to say; but given up, and what was under way for it is forgotten.
                self.sidecar.signing_out = None;
                self.books.must_write();
                if matches!(&self.account, Account::In(held) if held.over().is_none()) {
                    self.end_session(now, Over::Restored);
                }
                self.tell(Notice::StoreFailed(why.clone()));
                for waiter in signing_out.waiters {
                    self.reply(waiter, Answer::Failed(Trouble::Store(why.clone())));
                }
                self.look_again(now);
            }
        }
    }

    pub(crate) fn expire_sign_out(&mut self, now: &Moment) {
        let late = self.signing_out.take_if(|out| out.until().is_some_and(|until| until <= now.boot));
        if let Some(signing_out) = late {
            self.report(signing_out.waiters, reply::Revocation::Queued);
        }
    }

    pub(crate) fn take_revocations(&mut self, now: &Moment, revocations: Vec<Revocation>) {
        let known: Vec<u64> = self.revocations.iter().map(|r| r.revocation.id).collect();
        let new = revocations.into_iter().filter(|r| !known.contains(&r.id));
        self.revocations.extend(new.map(|revocation| ToRevoke::new(now, revocation)));
    }

    /// Has the server told of a session that nobody will use.
    pub(crate) fn queue_revocation(&mut self, now: &Moment, revocation: Revocation) {
        if !self.can_revoke(&revocation.at.registration) {
            return;
        }
        self.store(StoreJob::Queue(revocation.clone()));
        self.revocations.push(ToRevoke::new(now, revocation));
    }

    /// Whether the server has a way to be told.
    fn can_revoke(&self, registration: &Option<Registration>) -> bool {
        let endpoint = registration.as_ref().is_none_or(|known| known.endpoints.revocation.is_some());
        self.settings.policy.revokes && endpoint
    }

    pub(crate) fn revoke_at(&self) -> Option<Boot> {
        let may = self.owner.is_ok();
        self.revocations
            .iter()
            .filter(|r| may && r.calling.is_none() && !self.is_erasing(r))
            .filter(|r| r.announcement != Announcement::Waiting)
            .map(|r| r.next)
            .min()
    }

    pub(crate) fn revoke_if_due(&mut self, now: &Moment) {
        if self.owner.is_err() {
            return;
        }
        for at in (0..self.revocations.len()).rev() {
            let due = &self.revocations[at];
            if due.calling.is_some() || due.next > now.boot || self.is_erasing(due) {
                continue;
            }
            if due.revocation.until <= now.wall {
                let gone = self.revocations.remove(at);
                self.store(StoreJob::Dequeue(gone.revocation.id));
                self.tell(Notice::RevocationDropped);
                continue;
            }
            if due.announcement == Announcement::Waiting {
                continue;
            }
            if let Some(farewell) = self.farewell_to(due) {
                self.revocations[at].announcement = Announcement::Waiting;
                self.say_farewell(farewell);
                continue;
            }
            let op = self.net(NetJob::Revoke(self.revocations[at].revocation.clone()));
            self.revocations[at].calling = Some(op);
        }
    }

    /// What is announced before a revocation; none if it need not be, or was.
    fn farewell_to(&self, due: &ToRevoke) -> Option<Farewell> {
        let announces = self.settings.announces_revocations && due.announcement == Announcement::Due;
        let Revocation { id, at, access, access_expires_at, until, user, .. } = &due.revocation;
        let user = user.clone().filter(|_| announces)?;
        let expires_at = access_expires_at.map_or(*until, |at| at.min(*until));
        Some(Farewell { revocation: *id, at: at.clone(), access: access.clone(), expires_at, user })
    }

    pub(crate) fn farewell_done(&mut self, revocation: u64) {
        let waiting = self.revocations.iter_mut().find(|due| due.revocation.id == revocation);
        waiting.into_iter().for_each(|due| due.announcement = Announcement::Done);
    }

    pub(crate) fn revoked(&mut self, now: &Moment, op: Op, answer: RevokeAnswer) {
        let Some(at) = self.revocations.iter().position(|r| r.calling == Some(op)) else { return };
        let expires = self.revocations[at].revocation.access_expires_at;
        let known = expires.is_none_or(|at| at > now.wall);
        let outcome = match answer {
            RevokeAnswer::Confirmed => reply::Revocation::Revoked,
            // A refusal of a credential that is still good means that the session is gone already.
            RevokeAnswer::Refused if known => reply::Revocation::Revoked,
            RevokeAnswer::Refused => reply::Revocation::NotConfirmed,
            RevokeAnswer::Net(_) => reply::Revocation::Queued,
        };
        let id = self.revocations[at].revocation.id;
        match outcome {
            reply::Revocation::Queued => self.revocations[at].has_failed(now),
            reply::Revocation::Revoked
            | reply::Revocation::NotConfirmed
            | reply::Revocation::NothingToDo
            | reply::Revocation::Impossible => {
                self.revocations.remove(at);
                self.store(StoreJob::Dequeue(id));
                let confirmed = outcome == reply::Revocation::Revoked;
                self.tell(if confirmed { Notice::Revoked } else { Notice::RevocationDropped });
            }
        }
        let mine = self
            .signing_out
            .take_if(|out| matches!(out.stage, Stage::Telling { revocation, .. } if revocation == id));
        if let Some(signing_out) = mine {
            self.report(signing_out.waiters, outcome);
        }
    }

    fn report(&mut self, waiters: Vec<Waiter>, revocation: reply::Revocation) {
        for waiter in waiters {
            self.reply(waiter, Answer::LoggedOut(revocation));
        }
    }

    /// The server is told only once the local session is gone.
    fn is_erasing(&self, due: &ToRevoke) -> bool {
        match &self.signing_out {
            Some(SigningOut { stage: Stage::Erasing { revocation, .. }, .. }) => {
                *revocation == Some(due.revocation.id)
            }
            Some(SigningOut { stage: Stage::Wanted | Stage::Telling { .. }, .. }) | None => false,
        }
    }
}

impl ToRevoke {
    fn new(now: &Moment, revocation: Revocation) -> Self {
        Self { revocation, next: now.boot, calling: None, failures: 0, announcement: Announcement::Due }
    }

    /// The server could not be told.
    fn has_failed(&mut self, now: &Moment) {
        self.calling = None;
        self.failures = self.failures.saturating_add(1);
        self.next = slow_retry_at(now, self.failures);
    }

    /// Whether it is about the session with this refresh token.
    pub fn is_for(&self, print: Fingerprint) -> bool {
        let revocation = &self.revocation;
        Fingerprint::of(revocation.refresh.as_ref().unwrap_or(&revocation.access)) == print
    }
}

impl Rotation {
    /// A successor that has arrived but is not published yet.
    fn arrived(&self) -> Option<&Session> {
        match self {
            Self::Committing(_, _, fresh) | Self::Replacing(_, _, fresh) | Self::Stuck { fresh, .. } => {
                Some(&fresh.session)
            }
            Self::Rest
            | Self::Looking(..)
            | Self::Vetting(_)
            | Self::Connecting(..)
            | Self::Noting { .. }
            | Self::Sending(..)
            | Self::Doubt(_)
            | Self::Probing(..)
            | Self::Rechecking(..)
            | Self::Unconfirmed
            | Self::Over(_) => None,
        }
    }
}
