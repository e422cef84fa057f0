//! Ends of jobs, each handed to the machine that started it; and what the machines report.

use crate::context::Context;
use crate::error::{Rejected, StoreTrouble, Trouble};
use crate::input::Op;
use crate::inspections::Purpose;
use crate::jobs::{Done, Found, Identity, Refresh, Replaced};
use crate::login;
use crate::login_job::LoginAnswer;
use crate::notice::Notice;
use crate::profile::{Profile, context};
use crate::reply::Answer;
use crate::rotation;
use crate::time::Moment;

impl Profile {
    /// Each completion goes to the one part that started the work; nobody's is a leftover and is dropped.
    pub(super) fn done(&mut self, now: &Moment, op: Op, done: Done) {
        match done {
            Done::Loaded(loaded) if self.observer.owns(op) => self.loaded(now, *loaded),
            // Read before something else was found out, so older than what is known.
            Done::Loaded(_) => {}
            Done::Looked(found) => self.file_read(now, op, *found),
            Done::SetAside(result) => self.set_aside(now, op, result),
            Done::Connected(result) => self.rotate(now, rotation::Event::Connected(op, result)),
            Done::Answered(answer, server_time) => {
                self.facts.server_clock.learn(now, server_time);
                self.refresh_answered(now, op, *answer);
            }
            Done::Probed(probe, server_time) => {
                self.facts.server_clock.learn(now, server_time);
                self.rotate(now, rotation::Event::Probed(op, probe));
            }
            Done::Replaced(result) => self.replaced(now, op, result),
            Done::Stored(result) => self.stored(now, op, result),
            Done::Erased(result) => self.erased(now, op, result),
            Done::LoginAnswered(answer) => self.login_answered(now, op, *answer),
            Done::Revoked(answer) => {
                if let Some((id, outcome)) = self.revocations.answered(now, op, &answer, &mut self.outbox) {
                    self.sign_out.confirmed(id, outcome, &mut self.outbox);
                }
            }
            Done::Identified(identity) => self.identified(op, identity),
            Done::Listening(port) => self.sign_in(now, login::Event::Listening(op, port)),
        }
    }

    /// The session file was read for the observer, for a sign-in, or for the rotation.
    fn file_read(&mut self, now: &Moment, op: Op, found: Found) {
        if self.observer.owns(op) {
            self.observed(now, found);
        } else if self.login.owns(op) {
            self.sign_in(now, login::Event::Checked(found));
        } else {
            self.rotate(now, rotation::Event::FileRead(op, found));
        }
    }

    fn stored(&mut self, now: &Moment, op: Op, result: Result<(), StoreTrouble>) {
        if self.sidecar.owns(op) {
            self.sidecar.written(now, result, &mut self.outbox);
        } else if self.login.owns(op) {
            self.sign_in(now, login::Event::Pinned(result));
        } else {
            self.rotate(now, rotation::Event::Stored(op, result));
        }
    }

    fn replaced(&mut self, now: &Moment, op: Op, result: Result<Replaced, StoreTrouble>) {
        if self.login.owns(op) {
            self.sign_in(now, login::Event::Replaced(result));
        } else {
            self.rotate(now, rotation::Event::Replaced(op, result));
        }
    }

    fn refresh_answered(&mut self, now: &Moment, op: Op, answer: Refresh) {
        let cx = context!(self, now);
        let grant = match &answer {
            Refresh::Granted(grant) => Some(grant),
            Refresh::Refused | Refresh::Rotating | Refresh::Late | Refresh::Declined(_) => None,
            Refresh::Unclear(_) => None,
        };
        if !self.revocations.take_abandoned(&cx, op, grant, &mut self.outbox) {
            self.rotate(now, rotation::Event::Answered(op, answer));
        }
    }

    fn login_answered(&mut self, now: &Moment, op: Op, answer: LoginAnswer) {
        let cx = context!(self, now);
        let grant = if let LoginAnswer::Granted(grant) = &answer { Some(grant) } else { None };
        if !self.revocations.take_abandoned(&cx, op, grant, &mut self.outbox) {
            self.sign_in(now, login::Event::Answered(op, answer));
        }
    }

    fn identified(&mut self, op: Op, identity: Identity) {
        let Some((waiter, purpose)) = self.inspections.take(op) else { return };
        let answer = match (purpose, identity) {
            (_, Identity::Limited(secs)) => Answer::Failed(Trouble::RateLimited { secs }),
            (_, Identity::Net(net)) => Answer::Failed(Trouble::Net(net)),
            (Purpose::Inspect, identity) => Answer::Inspected(identity),
            (Purpose::FindHolder(_), Identity::Refused) => Answer::Failed(Trouble::Rejected(Rejected::Token)),
            (Purpose::FindHolder(_), Identity::Untold) => Answer::Whoami(None),
            (Purpose::FindHolder(token), Identity::Accepted { user, about }) => {
                let rotation = self.file.rotation_mut();
                let same = rotation.is_some_and(|rotation| rotation.learn_holder(token, user.clone(), about));
                if same { Answer::Whoami(user) } else { Answer::Failed(Trouble::AccountChanged) }
            }
        };
        self.outbox.reply(waiter, answer);
    }

    /// Hands an event to the rotation of the session in the file, if there is one, and does what it reports.
    pub(super) fn rotate(&mut self, now: &Moment, event: rotation::Event) {
        let cx = context!(self, now);
        let Some(rotation) = self.file.rotation_mut() else { return };
        let outcomes = rotation.handle(&cx, event, &mut self.outbox);
        self.rotated(now, outcomes);
    }

    pub(super) fn rotated(&mut self, now: &Moment, outcomes: Vec<rotation::Outcome>) {
        for outcome in outcomes {
            self.rotation_reports(now, outcome);
        }
    }

    fn rotation_reports(&mut self, now: &Moment, outcome: rotation::Outcome) {
        match outcome {
            rotation::Outcome::Observed(found) => self.observed(now, found),
            rotation::Outcome::Failed(why) => {
                if let Some(rotation) = self.file.rotation() {
                    self.waiters.fail(now, &why, rotation, &mut self.outbox);
                }
            }
            rotation::Outcome::Spend { token, until } => self.spend(now, token, until),
            rotation::Outcome::JournalDone => {
                self.sidecar.change();
            }
            rotation::Outcome::Ended { token, until, why } => {
                self.sidecar.change().spend(token, until, why, now.wall);
                self.outbox.notify(Notice::Ended(why));
            }
            rotation::Outcome::Published(arrived, server) => self.pin_to(&arrived, server),
            rotation::Outcome::Revoke(at, session) => {
                let cx = context!(self, now);
                self.revocations.queue(&cx, at, &session, &mut self.outbox);
            }
            rotation::Outcome::Abandoned { op, at, revoke } => self.revocations.abandon(op, at, revoke),
        }
    }

    /// Hands an event to the sign-in, and does what it reports.
    pub(super) fn sign_in(&mut self, now: &Moment, event: login::Event) {
        let cx = context!(self, now);
        let outcomes = self.login.handle(&cx, event, &mut self.outbox);
        self.signed_in(now, outcomes);
    }

    fn signed_in(&mut self, now: &Moment, outcomes: Vec<login::Outcome>) {
        for outcome in outcomes {
            self.login_reports(now, outcome);
        }
    }

    fn login_reports(&mut self, now: &Moment, outcome: login::Outcome) {
        match outcome {
            login::Outcome::Granted { asked, grant, registration } => {
                // What the file holds beside the session stays in it.
                let rotation = self.file.rotation();
                let fixed = rotation.and_then(|rotation| rotation.session().holder.fixed.clone());
                let cx = context!(self, now);
                let outcomes = self.login.store(&cx, asked, *grant, registration, fixed, &mut self.outbox);
                self.signed_in(now, outcomes);
            }
            login::Outcome::Pending(pin) => self.sidecar.note().pending = Some(pin),
            login::Outcome::SignedIn(arrived, server) => self.enter_signed_in(now, *arrived, server),
            login::Outcome::NotStored(at, arrived, why) => {
                let cx = context!(self, now);
                self.revocations.queue(&cx, at, &arrived.session, &mut self.outbox);
                self.sidecar.change().pending = None;
                self.outbox.notify(Notice::StoreFailed(why.clone()));
                let outcomes = self.login.fail(Trouble::Store(why), &mut self.outbox);
                self.signed_in(now, outcomes);
            }
            login::Outcome::Observed(found) => self.observed(now, found),
            login::Outcome::TakeBack(at, grant) => {
                let cx = context!(self, now);
                self.revocations.take_back(&cx, at, *grant, &mut self.outbox);
            }
            login::Outcome::Abandoned(op, at) => self.revocations.abandon(op, at, true),
        }
    }
}
