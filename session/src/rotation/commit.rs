//! S5 and S6: what has arrived is made durable, put in the place of its parent, and only then used. A successor that
//! can't be stored is kept in memory, and one that came too late for the file gives way. Nothing is sent from here.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{EndReason, Error, StoreError, StoreErrorKind};
use crate::input::Op;
use crate::jobs::{FileContent, Replaced, StoreJob};
use crate::journal::Intent;
use crate::notice::Notice;
use crate::policy::retry_at;
use crate::registration::CallTarget;
use crate::rotation::machine::{Hold, Rotation, RotationOutcome};
use crate::rotation::state::{ArrivedSession, RotationState, StoreStep};
use crate::session::Session;

impl Rotation {
    /// S5: journal first, then the file.
    pub(super) fn store_successor(
        &mut self,
        committed: bool,
        intent: Intent,
        arrived: ArrivedSession,
        out: &mut Outbox,
    ) {
        let session = arrived.session.clone();
        let step = if committed {
            StoreStep::Replacing(out.store(StoreJob::Replace { parent: Some(intent.parent), session }))
        } else {
            StoreStep::Committing(out.store(StoreJob::Commit(session)))
        };
        self.state = RotationState::UnstoredSuccessor(step, intent, arrived);
    }

    pub(super) fn replaced(
        &mut self,
        cx: &MachineContext,
        op: Op,
        result: Result<Replaced, StoreError>,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let (intent, arrived) = match self.take_state() {
            RotationState::UnstoredSuccessor(StoreStep::Replacing(mine), intent, arrived) if mine == op => {
                (intent, arrived)
            }
            other => {
                self.state = other;
                return Vec::new();
            }
        };
        match result {
            Ok(Replaced::Done) => self.publish(cx, intent, arrived, out),
            Ok(Replaced::GaveWay(found)) => self.give_way(cx, intent, arrived, *found, out),
            Err(why) => self.not_stored(cx, true, intent, arrived, why, out),
        }
    }

    /// The file does not hold the parent any more.
    fn give_way(
        &mut self,
        cx: &MachineContext,
        intent: Intent,
        arrived: ArrivedSession,
        found: FileContent,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        match &found {
            // An earlier try failed after the exchange. Once more, or the folder might not be durable.
            FileContent::Session { session, .. }
                if session.fingerprint() == arrived.session.fingerprint() =>
            {
                let parent = Some(arrived.session.fingerprint());
                let op = out.store(StoreJob::Replace { parent, session: arrived.session.clone() });
                self.state = RotationState::UnstoredSuccessor(StoreStep::Replacing(op), intent, arrived);
                Vec::new()
            }
            // No winner: the successor is all there is, so it is kept until the file can be read or is out of the way.
            FileContent::Damaged(_) => {
                let path = cx.facts.settings.session_file.clone();
                let why = StoreError { path, kind: StoreErrorKind::Damaged };
                let mut outcomes = self.not_stored(cx, true, intent, arrived, why, out);
                outcomes.push(RotationOutcome::Observed(found));
                outcomes
            }
            FileContent::Unusable(why) => self.not_stored(cx, true, intent, arrived, why.clone(), out),
            FileContent::Session { .. } | FileContent::Missing => {
                out.notify(Notice::GaveWay);
                self.state = RotationState::Ended(EndReason::Restored);
                let until = arrived.session.works_until(cx.now.wall);
                let mut outcomes = Vec::new();
                if is_to_be_revoked(&arrived.session, &found) {
                    let registration = arrived.session.holder.registration.clone();
                    let at = CallTarget { server: cx.server_of(&self.session).to_owned(), registration };
                    outcomes.push(RotationOutcome::Revoke(at, Box::new(arrived.session)));
                }
                outcomes.push(RotationOutcome::Spend { token: intent.parent, until });
                outcomes.push(RotationOutcome::Observed(found));
                outcomes
            }
        }
    }

    /// A damaged file has been moved out of the way of a session that is kept in memory.
    pub(super) fn replace_damaged(&mut self, out: &mut Outbox) -> Vec<RotationOutcome> {
        match self.take_state() {
            RotationState::UnstoredSuccessor(StoreStep::Waiting { committed: true }, intent, arrived) => {
                let op = out.store(StoreJob::Replace { parent: None, session: arrived.session.clone() });
                self.state = RotationState::UnstoredSuccessor(StoreStep::Replacing(op), intent, arrived);
            }
            other => self.state = other,
        }
        Vec::new()
    }

    /// A start found a whole outcome, and the file still holds its parent: only the exchange is missing.
    pub fn roll_forward(&mut self, cx: &MachineContext, intent: Intent, session: Session, out: &mut Outbox) {
        let lifetime = cx.sidecar.pin.as_ref().and_then(|pin| pin.lifetime_secs);
        let arrived = ArrivedSession::read(cx.now, session, lifetime, intent.capability);
        self.store_successor(true, intent, arrived, out);
    }

    /// S6: the successor is durable, so it may be used; its parent never again.
    fn publish(
        &mut self,
        cx: &MachineContext,
        intent: Intent,
        arrived: ArrivedSession,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let mut outcomes = Vec::new();
        // Where the server leaves the refresh token as it is, there is nothing spent.
        if intent.parent != arrived.session.fingerprint() {
            let until = self.session.works_until(cx.now.wall).max(arrived.session.works_until(cx.now.wall));
            outcomes.push(RotationOutcome::Spend { token: intent.parent, until });
        }
        outcomes.push(RotationOutcome::Published(Box::new(arrived.clone()), intent.server));
        let refreshed = if arrived.stale { None } else { arrived.asked.or(Some(cx.now.boot)) };
        let next = Self::signed_in(cx.now, arrived, cx.policy());
        *self = Self { refreshed, ..next };
        out.notify(Notice::Refreshed);
        outcomes
    }

    pub(super) fn not_stored(
        &mut self,
        cx: &MachineContext,
        committed: bool,
        intent: Intent,
        arrived: ArrivedSession,
        why: StoreError,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        self.state = RotationState::UnstoredSuccessor(StoreStep::Waiting { committed }, intent, arrived);
        self.store_failed(cx, why, out)
    }

    /// A file is in the way of a refresh: back off, and report it to those who wait.
    pub(super) fn store_failed(
        &mut self,
        cx: &MachineContext,
        why: StoreError,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        self.failures = self.failures.saturating_add(1);
        self.hold = Hold::Backoff(retry_at(cx.now, self.failures));
        self.last = Some(Error::Store(why.clone()));
        out.notify(Notice::StoreFailed(why.clone()));
        vec![RotationOutcome::Failed(Error::Store(why))]
    }
}

/// Whether a successor that came too late for the file is to be revoked: if it is another session than the one that
/// won. Within the same session that would sign the winner out.
fn is_to_be_revoked(late: &Session, winner: &FileContent) -> bool {
    let ours = late.claims.session_id.as_ref();
    match winner {
        FileContent::Missing => true,
        FileContent::Session { session, .. } => ours.is_some() && session.claims.session_id.as_ref() != ours,
        FileContent::Damaged(_) | FileContent::Unusable(_) => false,
    }
}
