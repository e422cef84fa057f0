//! Ends of jobs, each handed to the machine that started it; and what the machines report.

use crate::context::MachineContext;
use crate::error::{Error, NetError, NetErrorKind, StoreError};
use crate::identity::Identity;
use crate::input::Op;
use crate::inspections::{Inspected, Purpose};
use crate::jobs::{FileContent, JobResult, RefreshAnswer, Replaced, StoreJob};
use crate::kept_clients::ClientNews;
use crate::login::{LoginEvent, LoginOutcome};
use crate::login_call::LoginAnswer;
use crate::notice::Notice;
use crate::profile::{Profile, context};
use crate::replay::learn;
use crate::reply::ProfileReply;
use crate::rotation::{RotationEvent, RotationOutcome};
use crate::session::Fingerprint;
use crate::time::Moment;

impl Profile {
    /// Each completion goes to the one part that started the work; nobody's is a leftover and is dropped.
    pub(super) fn done(&mut self, now: &Moment, op: Op, done: JobResult) {
        match done {
            JobResult::Loaded(loaded) if self.observer.owns(op) => self.loaded(now, *loaded),
            // Read before something else was found out, so older than what is known.
            JobResult::Loaded(_) => {}
            JobResult::SessionRead(found) => self.file_read(now, op, *found),
            JobResult::SetAside(result) => self.set_aside(now, op, result),
            JobResult::Connected(result) => self.rotate(now, RotationEvent::Connected(op, result)),
            JobResult::Answered(answer, server_time) => {
                self.facts.server_clock.learn(now, server_time);
                self.refresh_answered(now, op, *answer);
            }
            JobResult::Probed(probe, server_time) => {
                self.facts.server_clock.learn(now, server_time);
                self.rotate(now, RotationEvent::Probed(op, probe));
            }
            JobResult::Replaced(result) => self.replaced(now, op, result),
            JobResult::Stored(result) => self.stored(now, op, result),
            JobResult::Erased(result) => self.erased(now, op, result),
            JobResult::LoginAnswered(answer) => self.login_answered(now, op, *answer),
            JobResult::Revoked(answer) => {
                if let Some((id, outcome)) = self.revocations.answered(now, op, &answer, &mut self.outbox) {
                    self.sign_out.confirmed(id, outcome, &mut self.outbox);
                }
            }
            JobResult::Identified(identity) => self.identified(now, op, identity),
            JobResult::Listening(port) => self.sign_in(now, LoginEvent::Listening(op, port)),
        }
    }

    /// The session file was read for the observer, for a sign-in, or for the rotation.
    fn file_read(&mut self, now: &Moment, op: Op, found: FileContent) {
        if self.observer.owns(op) {
            self.observed(now, found);
        } else if self.login.owns(op) {
            self.sign_in(now, LoginEvent::Checked(found));
        } else {
            self.rotate(now, RotationEvent::FileRead(op, found));
        }
    }

    fn stored(&mut self, now: &Moment, op: Op, result: Result<(), StoreError>) {
        if self.sidecar.owns(op) {
            self.sidecar.written(now, result, &mut self.outbox);
        } else if self.login.owns(op) {
            self.sign_in(now, LoginEvent::Stored(result));
        } else {
            self.rotate(now, RotationEvent::Stored(op, result));
        }
    }

    fn replaced(&mut self, now: &Moment, op: Op, result: Result<Replaced, StoreError>) {
        if self.login.owns(op) {
            self.sign_in(now, LoginEvent::Replaced(result));
        } else {
            self.rotate(now, RotationEvent::Replaced(op, result));
        }
    }

    fn refresh_answered(&mut self, now: &Moment, op: Op, answer: RefreshAnswer) {
        if let RefreshAnswer::Declined(error) = &answer {
            self.forget_client_if_unknown(error);
        }
        let cx = context!(self, now);
        let tokens = match &answer {
            RefreshAnswer::Granted(tokens) => Some(tokens),
            RefreshAnswer::Foreign
            | RefreshAnswer::Refused
            | RefreshAnswer::RefusedInWords(_)
            | RefreshAnswer::Rotating
            | RefreshAnswer::Late
            | RefreshAnswer::Declined(_)
            | RefreshAnswer::Unclear(_) => None,
        };
        if !self.revocations.take_abandoned(&cx, op, tokens, &mut self.outbox) {
            self.rotate(now, RotationEvent::Answered(op, answer));
        }
    }

    /// The next sign-in registers anew where the server does not know the client any more.
    fn forget_client_if_unknown(&mut self, error: &NetError) {
        let NetErrorKind::ClientRefused(words) = &error.kind else { return };
        let rotation = self.file.rotation();
        let known = rotation.and_then(|rotation| rotation.session().holder.registration.as_ref());
        if let Some(known) = known.filter(|known| !known.configured && words.starts_with("invalid_client")) {
            self.learn_of_client(ClientNews::Gone(known.client_id.clone()));
        }
    }

    fn login_answered(&mut self, now: &Moment, op: Op, answer: LoginAnswer) {
        let cx = context!(self, now);
        let tokens = if let LoginAnswer::Granted(tokens) = &answer { Some(tokens) } else { None };
        if !self.revocations.take_abandoned(&cx, op, tokens, &mut self.outbox) {
            self.sign_in(now, LoginEvent::Answered(op, answer));
        }
    }

    fn identified(&mut self, now: &Moment, op: Op, identity: Identity) {
        let Some((waiter, about, purpose)) = self.inspections.take(op) else { return };
        self.remember_verdict(&about, &identity);
        let answer = match (purpose, identity) {
            (_, Identity::Limited(secs)) => ProfileReply::Failed(Error::RateLimited { secs }),
            (_, Identity::Net(net)) => ProfileReply::Failed(Error::Net(net)),
            (Purpose::Inspect, identity) => ProfileReply::Inspected(identity),
            (Purpose::FindHolder(_), Identity::Refused)
            | (Purpose::HandOut(..), Identity::Refused | Identity::Untold) => {
                ProfileReply::Failed(Error::TokenRefused(about.server))
            }
            (Purpose::HandOut(token, min_validity_secs), Identity::Accepted { .. }) => {
                let handed = self.file.rotation().map(|rotation| Fingerprint::of(rotation.handed()));
                match handed {
                    Some(handed) if handed == token => {
                        return self.want_token(now, waiter, min_validity_secs);
                    }
                    Some(_) | None => ProfileReply::Failed(Error::AccountChanged),
                }
            }
            (Purpose::FindHolder(_), Identity::Untold) => ProfileReply::Whoami(None),
            (Purpose::FindHolder(token), Identity::Accepted { user, mut about }) => {
                // What holds only now (`fleet.online`) is not the holder's.
                about.retain(|name, _| !name.contains('.'));
                let rotation = self.file.rotation_mut();
                let same = rotation.is_some_and(|rotation| rotation.learn_holder(token, user.clone(), about));
                if same { ProfileReply::Whoami(user) } else { ProfileReply::Failed(Error::AccountChanged) }
            }
        };
        self.outbox.reply(waiter, answer);
    }

    /// What a server says of a token counts for the session only if the token is the session's, and the server, too.
    fn remember_verdict(&mut self, about: &Inspected, identity: &Identity) {
        let ours = about.server == self.server();
        let Some(rotation) = self.file.rotation_mut().filter(|_| ours) else { return };
        match identity {
            Identity::Refused => rotation.token_refused(about.token),
            Identity::Accepted { .. } => rotation.token_accepted(about.token),
            Identity::Untold | Identity::Limited(_) | Identity::Net(_) => {}
        }
    }

    /// Hands an event to the rotation of the session in the file, if there is one, and does what it reports.
    pub(super) fn rotate(&mut self, now: &Moment, event: RotationEvent) {
        let cx = context!(self, now);
        let Some(rotation) = self.file.rotation_mut() else { return };
        let outcomes = rotation.handle(&cx, event, &mut self.outbox);
        self.rotated(now, outcomes);
    }

    pub(super) fn rotated(&mut self, now: &Moment, outcomes: Vec<RotationOutcome>) {
        for outcome in outcomes {
            self.rotation_reports(now, outcome);
        }
    }

    fn rotation_reports(&mut self, now: &Moment, outcome: RotationOutcome) {
        match outcome {
            RotationOutcome::Observed(found) => self.observed(now, found),
            RotationOutcome::Failed(why) => {
                if let Some(rotation) = self.file.rotation() {
                    self.waiters.fail(now, &why, rotation, &mut self.outbox);
                }
            }
            RotationOutcome::Spend { token, until } => self.spend(now, token, until),
            RotationOutcome::JournalDone => {
                self.sidecar.change();
            }
            RotationOutcome::Ended { token, until, why } => {
                self.learn_lifetime(now, why);
                self.sidecar.change().spend(token, until, why, now.wall);
                self.outbox.notify(Notice::Ended(why));
            }
            RotationOutcome::Learnt(server, rule) => {
                learn(&mut self.sidecar.change().learnt, &server, rule, now.wall);
            }
            RotationOutcome::Published(arrived, server) => self.pin_to(&arrived, server),
            RotationOutcome::Revoke(at, session) => {
                let cx = context!(self, now);
                self.revocations.queue(&cx, at, &session, &mut self.outbox);
            }
            RotationOutcome::Abandoned { op, at, revoke } => self.revocations.abandon(op, at, revoke),
        }
    }

    /// Hands an event to the sign-in, and does what it reports.
    pub(super) fn sign_in(&mut self, now: &Moment, event: LoginEvent) {
        let cx = context!(self, now);
        let outcomes = self.login.handle(&cx, event, &mut self.outbox);
        self.signed_in(now, outcomes);
    }

    fn signed_in(&mut self, now: &Moment, outcomes: Vec<LoginOutcome>) {
        for outcome in outcomes {
            self.login_reports(now, outcome);
        }
    }

    fn login_reports(&mut self, now: &Moment, outcome: LoginOutcome) {
        match outcome {
            LoginOutcome::Granted { asked, tokens, registration } => {
                // What the file holds beside the session stays in it.
                let rotation = self.file.rotation();
                let fixed = rotation.and_then(|rotation| rotation.session().holder.fixed.clone());
                let cx = context!(self, now);
                let outcomes = self.login.store(&cx, asked, *tokens, registration, fixed, &mut self.outbox);
                self.signed_in(now, outcomes);
            }
            LoginOutcome::Pending(pin) => self.sidecar.note().pending = Some(pin),
            LoginOutcome::SignedIn(arrived, server) => self.enter_signed_in(now, *arrived, server),
            LoginOutcome::NotStored(at, arrived, why) => {
                let cx = context!(self, now);
                self.revocations.queue(&cx, at, &arrived.session, &mut self.outbox);
                self.sidecar.change().pending = None;
                self.outbox.notify(Notice::StoreFailed(why.clone()));
                let outcomes = self.login.fail(Error::Store(why), &mut self.outbox);
                self.signed_in(now, outcomes);
            }
            LoginOutcome::Observed(found) => self.observed(now, found),
            LoginOutcome::TakeBack(at, tokens) => {
                let cx = context!(self, now);
                self.revocations.take_back(&cx, at, *tokens, &mut self.outbox);
            }
            LoginOutcome::Abandoned(op, at) => self.revocations.abandon(op, at, true),
            LoginOutcome::Client(news) => self.learn_of_client(news),
            LoginOutcome::Failed(why) if self.credentials_grant.is_under_way() => {
                self.credentials_grant_failed(now, &why)
            }
            LoginOutcome::Failed(_) => {}
        }
    }

    fn learn_of_client(&mut self, news: ClientNews) {
        if let Some(clients) = self.facts.clients.learn(news) {
            self.outbox.store(StoreJob::KeepClients(clients));
        }
    }
}
