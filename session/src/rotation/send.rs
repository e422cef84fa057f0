//! S0 to S3: from reading the file to the first byte sent, and everything that can come between.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{NetError, StoreError};
use crate::input::Op;
use crate::jobs::{FileContent, NetJob, StoreJob};
use crate::journal::{Begun, Intent};
use crate::policy::retry_at;
use crate::registration::CallTarget;
use crate::rotation::machine::{Hold, Rotation, RotationOutcome};
use crate::rotation::state::{Doubt, RotationAttempt, RotationState, StoreStep};
use crate::session::hex;
use crate::time::Boot;
use everkey_proto::Secret;

/// How long after the file was read a request's deadline lies, in seconds. RR-1 allows 30, but takes a second key
/// for theft 10 s after another program's rotation: a request must not arrive that long after the file was read.
const DEADLINE_SECS: u64 = 9;

/// How long what was read of the file is good for, in milliseconds; after a slow connect it is read once more.
const FRESH_MS: u64 = 1_000;

/// How long a request may be on its way to a server whose clock is not known, in seconds.
const LONGEST_WAY_SECS: u64 = 60;

impl Rotation {
    pub(super) fn step_if_due(&mut self, cx: &MachineContext, out: &mut Outbox) -> Vec<RotationOutcome> {
        if self.refresh_due(cx).is_none_or(|due| due.at > cx.now.boot) {
            return Vec::new();
        }
        match self.take_state() {
            RotationState::Idle => self.begin(cx, None, out),
            RotationState::InDoubt(doubt) => return self.resolve(cx, doubt, out),
            RotationState::Refused(None, refusal) => self.confirm_refusal(refusal, out),
            RotationState::UnstoredSuccessor(StoreStep::Waiting { committed }, intent, arrived) => {
                self.store_successor(committed, intent, arrived, out);
            }
            busy @ (RotationState::Attempt(_)
            | RotationState::CheckingDoubt(..)
            | RotationState::Refused(Some(_), _)
            | RotationState::UnstoredSuccessor(..)
            | RotationState::Ended(_)) => self.state = busy,
        }
        Vec::new()
    }

    /// S0; `earlier` if the same token may have been sent before.
    pub(super) fn begin(&mut self, cx: &MachineContext, earlier: Option<Doubt>, out: &mut Outbox) {
        let op = out.store(StoreJob::ReadSession);
        self.tried = Some(cx.now.boot);
        self.hold = Hold::Free;
        self.state = RotationState::Attempt(RotationAttempt::ReadingFile { op, connection: None, earlier });
    }

    /// The file was read, for S0 or after a refusal.
    pub(super) fn file_read(
        &mut self,
        cx: &MachineContext,
        op: Op,
        found: FileContent,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        match self.take_state() {
            RotationState::Attempt(RotationAttempt::ReadingFile { op: mine, connection, earlier })
                if mine == op =>
            {
                self.read_before_use(cx, connection, earlier, found, out)
            }
            RotationState::Refused(Some(mine), refusal) if mine == op => {
                self.read_after_refusal(cx, refusal, found, out)
            }
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// S0 is done: only the token that we hold may go on.
    fn read_before_use(
        &mut self,
        cx: &MachineContext,
        connection: Option<Op>,
        earlier: Option<Doubt>,
        found: FileContent,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        match found {
            // Where the refresh token stays, another program may have refreshed: perhaps nobody needs to any more.
            FileContent::Session { session, .. }
                if session.fingerprint() == self.fingerprint() && session.access == self.session.access =>
            {
                match connection {
                    Some(connection) => self.write_intent(cx, connection, earlier, out),
                    None => self.connect(cx, earlier, out),
                }
                Vec::new()
            }
            FileContent::Session { .. } | FileContent::Missing => {
                self.stand_down(connection, earlier, out);
                vec![RotationOutcome::Observed(found)]
            }
            // Somebody may be in the middle of writing it: nothing is sent until it is a session again.
            FileContent::Damaged(_) => {
                self.hold = Hold::Backoff(retry_at(cx.now, 1));
                self.stand_down(connection, earlier, out);
                vec![RotationOutcome::Observed(found)]
            }
            FileContent::Unusable(why) => {
                self.stand_down(connection, earlier, out);
                self.store_failed(cx, why, out)
            }
        }
    }

    /// S1, after asking the server about a session that this agent did not write.
    pub(super) fn connect(&mut self, cx: &MachineContext, earlier: Option<Doubt>, out: &mut Outbox) {
        let at = cx.target_of(&self.session);
        let server = earlier.as_ref().map_or(&at.server, |doubt| &doubt.intent.server).clone();
        let at = CallTarget { server, ..at };
        let vet = !self.vetted && self.session.claims.generation.is_some() && earlier.is_none();
        self.state = RotationState::Attempt(if vet {
            let op = out.net(NetJob::Probe { at, access: self.session.access.clone() });
            RotationAttempt::CheckingGeneration(op)
        } else {
            RotationAttempt::Connecting { op: out.net(NetJob::Connect { at }), earlier }
        });
    }

    /// S1 is done, or has failed.
    pub(super) fn connected(
        &mut self,
        cx: &MachineContext,
        op: Op,
        result: Result<(), NetError>,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let earlier = match self.take_state() {
            RotationState::Attempt(RotationAttempt::Connecting { op: mine, earlier }) if mine == op => {
                earlier
            }
            other => {
                self.state = other;
                return Vec::new();
            }
        };
        if let Err(error) = result {
            self.stand_down(None, earlier, out);
            return self.try_again(cx, error, out);
        }
        if self.tried.is_none_or(|read| read.ms_until(cx.now.boot) < FRESH_MS) {
            self.write_intent(cx, op, earlier, out);
            return Vec::new();
        }
        let read = out.store(StoreJob::ReadSession);
        self.tried = Some(cx.now.boot);
        self.state =
            RotationState::Attempt(RotationAttempt::ReadingFile { op: read, connection: Some(op), earlier });
        Vec::new()
    }

    /// S2: the connection stands, so the intent is written; with the key of an earlier send, if there was one (I2).
    fn write_intent(
        &mut self,
        cx: &MachineContext,
        connection: Op,
        earlier: Option<Doubt>,
        out: &mut Outbox,
    ) {
        if !cx.may_send || earlier.as_ref().is_some_and(|doubt| !self.may_repeat(cx, doubt)) {
            return self.stand_down(Some(connection), earlier, out);
        }
        let closed = closed(cx);
        let read = self.tried.unwrap_or(cx.now.boot);
        let deadline = cx.facts.server_clock.at(cx.now, read).saturating_add(DEADLINE_SECS);
        let doubt = match earlier {
            Some(earlier) => {
                let sends = earlier.intent.sends.saturating_add(1);
                let closed = closed.max(earlier.closed);
                Doubt { intent: Intent { deadline, sends, ..earlier.intent }, closed, ..earlier }
            }
            None => {
                let intent = Intent {
                    epoch: cx.sidecar.epoch,
                    parent: self.fingerprint(),
                    key: Secret::new(hex(&cx.now.random("idempotency key"))),
                    server: cx.server_of(&self.session).to_owned(),
                    deadline,
                    capability: cx.capability_of(&self.session),
                    sends: 1,
                    begun: Some(Begun {
                        boot_id: cx.facts.settings.boot_id.clone(),
                        at_ms: cx.now.boot.0,
                        wall: cx.now.wall,
                    }),
                };
                Doubt::new(intent, false, closed)
            }
        };
        let stored = out.store(StoreJob::WriteIntent(doubt.intent.clone()));
        self.state = RotationState::Attempt(RotationAttempt::WritingIntent { connection, stored, doubt });
    }

    /// Nothing is sent after all.
    fn stand_down(&mut self, connection: Option<Op>, earlier: Option<Doubt>, out: &mut Outbox) {
        if let Some(connection) = connection {
            out.cancel(connection);
        }
        self.state = earlier.map_or(RotationState::Idle, RotationState::InDoubt);
    }

    /// S2's intent is durable, or S5's outcome is.
    pub(super) fn stored(
        &mut self,
        cx: &MachineContext,
        op: Op,
        result: Result<(), StoreError>,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        match self.take_state() {
            RotationState::Attempt(RotationAttempt::WritingIntent { connection, stored, doubt })
                if stored == op =>
            {
                match result {
                    Ok(()) => {
                        self.send(cx, connection, doubt, out);
                        Vec::new()
                    }
                    Err(why) => {
                        // Nothing is sent, but the intent may have reached the disk: its key stays this token's only one.
                        self.state = RotationState::InDoubt(doubt);
                        out.cancel(connection);
                        self.store_failed(cx, why, out)
                    }
                }
            }
            RotationState::UnstoredSuccessor(StoreStep::Committing(mine), intent, arrived) if mine == op => {
                match result {
                    Ok(()) => {
                        self.store_successor(true, intent, arrived, out);
                        Vec::new()
                    }
                    Err(why) => self.not_stored(cx, false, intent, arrived, why, out),
                }
            }
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// S3: from the first byte on, the outcome is in doubt.
    fn send(&mut self, cx: &MachineContext, connection: Op, doubt: Doubt, out: &mut Outbox) {
        let at = CallTarget { server: doubt.intent.server.clone(), ..cx.target_of(&self.session) };
        let may_send = cx.may_send && self.may_repeat(cx, &doubt);
        let Some(refresh) = self.session.refresh.clone().filter(|_| may_send) else {
            self.state = RotationState::InDoubt(doubt);
            self.hold = Hold::Backoff(retry_at(cx.now, 1));
            return out.cancel(connection);
        };
        let (key, deadline) = (doubt.intent.key.clone(), doubt.intent.deadline);
        let terms = self.terms(cx, &doubt);
        self.state =
            RotationState::Attempt(RotationAttempt::Sending { op: connection, asked: cx.now.boot, doubt });
        out.net_on(connection, NetJob::Send { at, refresh, key, deadline, terms });
    }

    /// Another program has refreshed: a try that has sent nothing begins anew, if one is still wanted.
    pub(super) fn begin_anew(&mut self, out: &mut Outbox) {
        match self.take_state() {
            RotationState::Attempt(
                RotationAttempt::Connecting { op, earlier: None }
                | RotationAttempt::ReadingFile { connection: Some(op), earlier: None, .. },
            ) => out.cancel(op),
            RotationState::Attempt(RotationAttempt::ReadingFile {
                connection: None, earlier: None, ..
            }) => {}
            other => self.state = other,
        }
    }

    /// A start found an intent: its token may have been sent, so only what its server allows may follow.
    pub fn open_intent(&mut self, cx: &MachineContext, intent: Intent) {
        if self.over().is_none() {
            self.vetted = true;
            let closed = closed(cx);
            self.state = RotationState::InDoubt(Doubt::new(intent, true, closed));
        }
    }
}

/// When a request sent now can't be carried out any more: its deadline, if it was set by the server's own clock, else
/// the longest time on the way that is believed in.
fn closed(cx: &MachineContext) -> Boot {
    let secs = if cx.facts.server_clock.is_known() { DEADLINE_SECS } else { LONGEST_WAY_SECS };
    cx.now.boot.plus_secs(secs + 2)
}
