//! Ends: sessions that are over for good, and work under way for a session that is not wanted any more.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{EndReason, Error, NetError};
use crate::rotation::machine::{Rotation, RotationOutcome};
use crate::rotation::state::{RotationAttempt, RotationState};
use crate::session::{Session, is_same_session};

impl Rotation {
    /// The session is over for good: its token is never sent again, not even after a restart. `said` is what the server
    /// says, where it says more than that.
    pub fn end(
        &mut self,
        cx: &MachineContext,
        why: EndReason,
        said: Option<NetError>,
    ) -> Vec<RotationOutcome> {
        self.state = RotationState::Ended(why);
        self.last = said.map(Error::Net);
        let until = self.session.works_until(cx.now.wall);
        vec![RotationOutcome::Ended { token: self.fingerprint(), until, why }]
    }

    /// Another rotation of the same token never ends: the server is asked to forget the session, for a new sign-in.
    pub(super) fn end_contested(&mut self, cx: &MachineContext) -> Vec<RotationOutcome> {
        let revoke = RotationOutcome::Revoke(cx.target_of(&self.session), Box::new(self.session.clone()));
        let mut outcomes = vec![revoke];
        outcomes.extend(self.end(cx, EndReason::Contested, None));
        outcomes
    }

    /// The session in memory is not the file's any more; `winner` is the one that took its place. If its token may have
    /// been sent, by us or by whoever wrote a later one of the same session, it is never sent again.
    pub fn leave(
        &mut self,
        cx: &MachineContext,
        winner: Option<&Session>,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        // A token that is only ever read can't be used up.
        if self.session.refresh.is_none() {
            return Vec::new();
        }
        let (token, until) = (self.fingerprint(), self.session.works_until(cx.now.wall));
        let same = winner.is_some_and(|winner| is_same_session(&self.session, winner));
        let used = self.state.is_open() || same;
        let over = self.over().is_some();
        // Within the same session a revocation would sign the winner out.
        let mut outcomes = self.abandon(cx, !same, out);
        if used && !over {
            outcomes.push(RotationOutcome::Spend { token, until });
        } else if over {
            outcomes.push(RotationOutcome::JournalDone);
        }
        outcomes
    }

    /// Whatever is under way comes to nothing; `revoke` if a successor that still arrives is to be revoked.
    pub fn abandon(&mut self, cx: &MachineContext, revoke: bool, out: &mut Outbox) -> Vec<RotationOutcome> {
        match self.take_state() {
            RotationState::Attempt(RotationAttempt::Sending { op, .. }) => {
                return vec![RotationOutcome::Abandoned { op, at: cx.target_of(&self.session), revoke }];
            }
            RotationState::Attempt(
                RotationAttempt::Connecting { op, .. }
                | RotationAttempt::WritingIntent { connection: op, .. }
                | RotationAttempt::CheckingGeneration(op),
            )
            | RotationState::CheckingDoubt(op, _) => out.cancel(op),
            RotationState::Attempt(RotationAttempt::ReadingFile { connection, .. }) => {
                connection.into_iter().for_each(|connection| out.cancel(connection));
            }
            RotationState::Idle
            | RotationState::InDoubt(_)
            | RotationState::Refused(..)
            | RotationState::UnstoredSuccessor(..)
            | RotationState::Ended(_) => {}
        }
        Vec::new()
    }
}
