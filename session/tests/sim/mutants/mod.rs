//! Planted faults: what the agent would do if a protection were missing. Each stands between the agent and the world
//! and changes what passes, so that the code under test stays as it is.

mod clock;
mod kinds;
mod reminders;
mod repeats;
mod twist;

pub use kinds::Mutant;

use crate::network::trouble;
use clock::clock;
use repeats::Repeats;
use twist::{Twist, fresh_key, pass, swap};

use everkey_proto::reply::User;
use everkey_proto::request::SessionRequest;
use everkey_proto::{ReplayRule, Secret};
use everkey_reminder::{ProfileEffect, ProfileInput, ProfileMachines, ReminderEffect};
use everkey_session::{
    Boot, Capability, Claims, Effect, EndReason, FileContent, Fingerprint, Holder, Input, JobResult, Journal,
    Moment, NetErrorKind, NetJob, Op, ProbeAnswer, ProfileReply, RefreshAnswer, Replaced, RevokeAnswer,
    Settings, Sidecar, StoreJob,
};
use std::collections::{BTreeSet, VecDeque};

/// The agent, with a fault planted or without.
pub struct Agent {
    machines: ProfileMachines,
    mutant: Option<Mutant>,
    memory: Memory,
    rule: ReplayRule,
}

/// What some faults need to remember.
#[derive(Default)]
struct Memory {
    /// Work whose completion the agent has been given already.
    settled: BTreeSet<Op>,
    sending: Option<Op>,
    signed_out: bool,
    refused: bool,
    /// Whether the last answer spoke of a race.
    raced: bool,
    last_found: Option<FileContent>,
    last_sidecar: Sidecar,
    last_given: Option<Fingerprint>,
    /// Whether the last answer left the refresh token as it is.
    stays: bool,
    counted: u64,
    repeats: Repeats,
}

impl Agent {
    pub fn start(
        mut settings: Settings,
        reminds: bool,
        now: &Moment,
        mutant: Option<Mutant>,
    ) -> (Self, Vec<ProfileEffect>) {
        if mutant == Some(Mutant::GapForgotten) {
            settings.policy.gap_ms = 0;
        }
        if mutant == Some(Mutant::EndedSessionServed) {
            settings.policy.access_ends_with_session = false;
        }
        let rule = settings.policy.replay.otherwise;
        match (mutant, rule) {
            (Some(Mutant::RepeatedAtOnceWhereNobodyKnows), ReplayRule::Unknown) => {
                settings.policy.replay.otherwise = ReplayRule::OldStays;
            }
            (Some(Mutant::NeverSentAgainInDoubt), _) => {
                settings.policy.replay.otherwise = ReplayRule::StrictUser;
            }
            _ => {}
        }
        let (machines, effects) = ProfileMachines::start(settings, reminds, &clock(mutant, now));
        (Self { machines, mutant, memory: Memory::default(), rule }, effects)
    }

    pub fn handle(&mut self, now: &Moment, input: ProfileInput) -> Vec<ProfileEffect> {
        let Some(mutant) = self.mutant else { return self.machines.handle(now, input) };
        if let ProfileInput::Session(Input::Done(op, _)) | ProfileInput::ReminderDone(op, _) = &input
            && self.memory.settled.remove(op)
        {
            return Vec::new();
        }
        if let ProfileInput::Session(Input::Done(_, done)) = &input {
            self.memory.repeats.done(done);
        }
        let (input, extra) = self.memory.twist_input(mutant, input);
        let now = clock(self.mutant, now);
        let mut todo: VecDeque<ProfileEffect> = self.machines.handle(&now, input).into();
        let again = self.memory.repeats.extra(mutant, self.rule, now.boot);
        todo.extend(extra.into_iter().chain(again).map(ProfileEffect::Session));
        let mut effects = Vec::new();
        while let Some(effect) = todo.pop_front() {
            if let ProfileEffect::Session(Effect::Net(op, job @ NetJob::Send { .. })) = &effect {
                self.memory.repeats.sending(*op, job, now.boot);
            }
            match self.memory.twist_effect(mutant, effect) {
                Twist::Pass(effect) => effects.push(effect),
                Twist::Swap(instead) => effects.extend(instead),
                Twist::Acknowledge(effect, op, done) => {
                    effects.push(effect);
                    self.memory.settled.insert(op);
                    todo.extend(self.machines.handle(&now, done));
                }
                Twist::Pretend(op, done) => {
                    todo.extend(self.machines.handle(&now, Input::Done(op, done).into()));
                }
            }
        }
        effects
    }

    pub fn user(&self) -> Option<&User> {
        self.machines.session().user()
    }

    pub fn next_wake(&self, now: &Moment) -> Option<Boot> {
        if self.mutant == Some(Mutant::RestlessWake) {
            return Some(now.boot);
        }
        let its = clock(self.mutant, now);
        let wake = self.machines.due(&its)?.at;
        Some(now.boot.plus_ms(its.boot.ms_until(wake)))
    }
}

impl Memory {
    fn twist_input(&mut self, mutant: Mutant, input: ProfileInput) -> (ProfileInput, Option<Effect>) {
        match input {
            ProfileInput::Session(input) => {
                let (input, extra) = self.twist_session_input(mutant, input);
                (input.into(), extra)
            }
            ProfileInput::ReminderDone(op, done) => {
                (ProfileInput::ReminderDone(op, reminders::twist_done(mutant, done)), None)
            }
            ProfileInput::Request { .. } | ProfileInput::ReminderChanged => (input, None),
        }
    }

    fn twist_session_input(&mut self, mutant: Mutant, input: Input) -> (Input, Option<Effect>) {
        match input {
            Input::Gone(waiter) if mutant == Mutant::CallerCancelsRefresh => {
                (Input::Gone(waiter), self.sending.take().map(Effect::Cancel))
            }
            Input::Done(op, done) => {
                let late = self.late_answer(mutant, &done);
                (Input::Done(op, self.twist_done(mutant, done)), late)
            }
            Input::Request { waiter, expect, request: SessionRequest::Better { than } } => {
                let ask = match mutant {
                    Mutant::ReportForcesARefresh => SessionRequest::Refresh { force: true },
                    Mutant::ReportedTokenGivenAgain => SessionRequest::Token { min_validity_secs: 0 },
                    Mutant::ReportOfAReplacedTokenRefreshes => {
                        SessionRequest::Better { than: self.last_given.unwrap_or(than) }
                    }
                    _ => SessionRequest::Better { than },
                };
                (Input::Request { waiter, expect, request: ask }, None)
            }
            Input::Request { .. }
            | Input::Gone(_)
            | Input::Callback { .. }
            | Input::Configured(_)
            | Input::ClientChanged
            | Input::FileChanged
            | Input::FarewellDone(_)
            | Input::Tick => (input, None),
        }
    }

    fn late_answer(&mut self, mutant: Mutant, done: &JobResult) -> Option<Effect> {
        let JobResult::Answered(answer, _) = done else { return None };
        self.sending = None;
        let RefreshAnswer::Granted(grant) = &**answer else { return None };
        let late = mutant == Mutant::LateAnswerKeptAfterLogout && self.signed_out;
        let user = grant.user.clone().filter(|_| late)?;
        let holder = Holder { user: Some(user), ..Holder::default() };
        let session = grant.clone().into_session(holder, 1_900_000_000);
        self.counted += 1;
        let op = Op(u64::from(u32::MAX) - self.counted);
        Some(Effect::Store(op, Box::new(StoreJob::Replace { parent: None, session })))
    }

    fn twist_done(&mut self, mutant: Mutant, done: JobResult) -> JobResult {
        match done {
            JobResult::Loaded(mut loaded) => {
                if mutant == Mutant::JournalIgnoredAtStart {
                    loaded.journal = Ok(Journal::Empty);
                }
                if mutant == Mutant::SendWithoutTheLock {
                    loaded.owner = Ok(());
                }
                if mutant == Mutant::SpentListForgotten {
                    loaded.sidecar.iter_mut().for_each(|sidecar| sidecar.spent.clear());
                }
                self.last_found = Some(loaded.file.clone());
                JobResult::Loaded(loaded)
            }
            JobResult::SessionRead(found) => {
                self.last_found = Some((*found).clone());
                JobResult::SessionRead(found)
            }
            JobResult::Erased(result) => {
                self.signed_out = result.is_ok();
                JobResult::Erased(result)
            }
            JobResult::Answered(mut answer, clock) => {
                self.twist_answer(mutant, &mut answer);
                JobResult::Answered(answer, clock)
            }
            JobResult::SetAside(_)
            | JobResult::Stored(_)
            | JobResult::Replaced(_)
            | JobResult::Connected(_)
            | JobResult::Probed(..)
            | JobResult::LoginAnswered(_)
            | JobResult::Identified(_)
            | JobResult::Listening(_)
            | JobResult::Revoked(_) => done,
        }
    }

    fn twist_answer(&mut self, mutant: Mutant, answer: &mut RefreshAnswer) {
        self.raced = matches!(answer, RefreshAnswer::Rotating);
        match answer {
            RefreshAnswer::Granted(grant) => {
                self.stays = grant.refresh.is_none();
                if mutant == Mutant::AnswerForAnotherSessionKept {
                    grant.user = None;
                    grant.claims = Claims::default();
                }
                if mutant == Mutant::SendAgainWithoutTheContract {
                    grant.capability = Capability::Rr1;
                }
            }
            RefreshAnswer::Unclear(_) if mutant == Mutant::ServerTroubleTakenForRefusal => {
                *answer = RefreshAnswer::Refused;
            }
            RefreshAnswer::Declined(_) if mutant == Mutant::NotProcessedTakenForAnAnswer => {
                *answer = RefreshAnswer::Refused;
            }
            RefreshAnswer::Rotating if mutant == Mutant::RaceBelievedForEver => {
                *answer = RefreshAnswer::Declined(trouble(NetErrorKind::Limited(5)));
            }
            RefreshAnswer::Refused | RefreshAnswer::RefusedInWords(_) => self.refused = true,
            RefreshAnswer::Foreign
            | RefreshAnswer::Rotating
            | RefreshAnswer::Late
            | RefreshAnswer::Declined(_)
            | RefreshAnswer::Unclear(_) => {}
        }
    }

    fn twist_effect(&mut self, mutant: Mutant, effect: ProfileEffect) -> Twist {
        match effect {
            ProfileEffect::Session(Effect::Reply(..))
            | ProfileEffect::Status(..)
            | ProfileEffect::Reminder(ReminderEffect::Reply(..)) => self.twist_reply(mutant, effect),
            ProfileEffect::Session(Effect::Store(op, job)) => self.twist_store(mutant, op, *job),
            ProfileEffect::Session(Effect::Net(op, job)) => self.twist_net(mutant, op, job),
            ProfileEffect::Session(Effect::Cancel(_) | Effect::Notify(_) | Effect::Farewell(_)) => {
                Twist::Pass(effect)
            }
            ProfileEffect::Reminder(effect) => reminders::twist_effect(mutant, effect),
        }
    }

    fn twist_reply(&mut self, mutant: Mutant, mut effect: ProfileEffect) -> Twist {
        if mutant == Mutant::AnsweredTwice {
            return Twist::Swap(vec![effect.clone(), effect]);
        }
        if mutant == Mutant::NotAnswered {
            self.counted += 1;
            return Twist::Swap(if self.counted.is_multiple_of(3) { Vec::new() } else { vec![effect] });
        }
        if let ProfileEffect::Session(Effect::Reply(_, answer)) = &mut effect
            && let ProfileReply::Token { access, ended, .. } = &mut **answer
        {
            self.last_given = Some(Fingerprint::of(access));
            ended.take_if(|_| mutant == Mutant::EndNotToldWithTheToken);
        }
        Twist::Pass(effect)
    }

    fn twist_store(&mut self, mutant: Mutant, op: Op, mut job: StoreJob) -> Twist {
        let sidecar = match &mut job {
            StoreJob::WriteSidecar(sidecar) | StoreJob::Settle(sidecar) | StoreJob::Erase { sidecar, .. } => {
                Some(sidecar)
            }
            StoreJob::Load
            | StoreJob::ReadSession
            | StoreJob::SetAside(_)
            | StoreJob::WriteIntent(_)
            | StoreJob::Commit(_)
            | StoreJob::Replace { .. }
            | StoreJob::QueueRevocation(_)
            | StoreJob::DropRevocation(_)
            | StoreJob::KeepClients(_)
            | StoreJob::KeepSignIn(_) => None,
        };
        if let Some(sidecar) = sidecar {
            if mutant == Mutant::EpochNotRaised {
                sidecar.epoch = 0;
            }
            if mutant == Mutant::SpentListForgotten {
                sidecar.spent.clear();
            }
            if mutant == Mutant::LearntRuleNeverForgotten {
                self.repeats.never_forget(sidecar);
            }
            if mutant == Mutant::KeptTokenTakenForUsedUp
                && let Some(pin) = sidecar.pin.clone().filter(|_| self.stays)
            {
                sidecar.spend(pin.fingerprint, u64::MAX, EndReason::Restored, 0);
            }
            self.last_sidecar = sidecar.clone();
        }
        if let StoreJob::WriteIntent(intent) = &mut job {
            match mutant {
                Mutant::NewKeyOnRetry => intent.key = fresh_key(op),
                Mutant::SameKeyForTheNextToken => intent.key = Secret::new("the key"),
                _ => {}
            }
        }
        if let StoreJob::Commit(session) | StoreJob::Replace { session, .. } = &mut job
            && mutant == Mutant::KeptTokenForgotten
            && self.stays
        {
            session.refresh = None;
        }
        let done = match (mutant, &job) {
            (Mutant::SendBeforeTheIntentIsDurable, StoreJob::WriteIntent(_)) => {
                Some(JobResult::Stored(Ok(())))
            }
            (Mutant::PublishBeforeTheFileIsReplaced, StoreJob::Replace { .. }) => {
                Some(JobResult::Replaced(Ok(Replaced::Done)))
            }
            (Mutant::OutcomeNotInTheJournal, StoreJob::Commit(_)) => {
                return Twist::Pretend(op, JobResult::Stored(Ok(())));
            }
            (Mutant::RefusalBelievedAtOnce, StoreJob::ReadSession) if std::mem::take(&mut self.refused) => {
                let found = self.last_found.clone().unwrap_or(FileContent::Missing);
                return Twist::Pretend(op, JobResult::SessionRead(Box::new(found)));
            }
            (Mutant::JournalClearedBeforeTheFileIsReplaced, StoreJob::Replace { .. }) => {
                self.counted += 1;
                let early = Op(u64::from(u32::MAX) - self.counted);
                let settle = Effect::Store(early, Box::new(StoreJob::Settle(self.last_sidecar.clone())));
                return swap([settle, Effect::Store(op, Box::new(job))]);
            }
            _ => None,
        };
        let effect = Effect::Store(op, Box::new(job));
        match done {
            Some(done) => {
                let done = Input::Done(op, done).into();
                Twist::Acknowledge(ProfileEffect::Session(effect), op, done)
            }
            None => pass(effect),
        }
    }

    fn twist_net(&mut self, mutant: Mutant, op: Op, job: NetJob) -> Twist {
        match job {
            NetJob::Send { at, refresh, key, deadline, terms } => {
                self.sending = Some(op);
                let key = match mutant {
                    Mutant::NewKeyOnRetry => fresh_key(Op(op.0 + 1)),
                    Mutant::SameKeyForTheNextToken => Secret::new("the key"),
                    _ => key,
                };
                let effect = Effect::Net(op, NetJob::Send { at, refresh, key, deadline, terms });
                if mutant == Mutant::SentTwiceAtOnce {
                    return swap([effect.clone(), effect]);
                }
                pass(effect)
            }
            NetJob::Probe { .. } if mutant == Mutant::ProbeSkipped => {
                Twist::Pretend(op, JobResult::Probed(ProbeAnswer::Generation(0), None))
            }
            NetJob::Revoke(_) if mutant == Mutant::ContestedSessionNotRevoked && self.raced => {
                Twist::Pretend(op, JobResult::Revoked(RevokeAnswer::Confirmed))
            }
            NetJob::Connect { .. }
            | NetJob::Probe { .. }
            | NetJob::Login { .. }
            | NetJob::Revoke(_)
            | NetJob::Identify { .. }
            | NetJob::Listen(_) => pass(Effect::Net(op, job)),
        }
    }
}
