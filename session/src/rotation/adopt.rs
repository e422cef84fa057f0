//! Sessions that were found in the file: taken over from another program, or changed by it.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{EndReason, Error};
use crate::journal::Capability;
use crate::rotation::machine::{Hold, Rotation};
use crate::rotation::state::{ArrivedSession, RotationState};
use crate::session::Session;

impl Rotation {
    /// Takes over the session in the file; `first` if nothing was read before it.
    pub fn adopted(cx: &MachineContext, mut session: Session, first: bool) -> Self {
        let pin = cx.sidecar.pin.as_ref();
        let capability = pin.map(|pin| pin.capability).unwrap_or_default();
        let ours = pin.filter(|pin| pin.fingerprint == session.fingerprint());
        if let Some(pin) = ours.filter(|_| session.holder.user.is_none()) {
            session.holder.user.clone_from(&pin.user);
            session.holder.about.clone_from(&pin.about);
        }
        let machine = &cx.facts.settings.machine;
        let same_machine = cx.sidecar.machine.as_ref().is_none_or(|known| known == machine);
        let spent = cx.sidecar.is_spent(session.fingerprint());
        let lifetime = ours.and_then(|pin| pin.lifetime_secs);
        let arrived = ArrivedSession::read(cx.now, session, lifetime, capability);
        Self {
            // A token of ours that comes back after another program had the file may have been used by that program.
            vetted: ours.is_some() && same_machine && first,
            state: spent.map_or(RotationState::Idle, RotationState::Ended),
            ..Self::new(cx.now, arrived, cx.policy())
        }
    }

    /// The file still holds this session, perhaps with another access token or another end.
    pub fn found_again(&mut self, cx: &MachineContext, found: Session, out: &mut Outbox) {
        if matches!(self.last, Some(Error::Store(_))) && self.hold == Hold::Free {
            self.last = None;
        }
        self.session.holder.fixed.clone_from(&found.holder.fixed);
        let ends = |session: &Session| (session.access_expires_at, session.refresh_expires_at);
        if found.access == self.session.access && ends(&found) == ends(&self.session) {
            return;
        }
        // Whoever wrote it had a reason.
        let holder = self.session.holder.clone().or(found.holder.clone());
        let session = Session { holder, ..found };
        let arrived = ArrivedSession::read(cx.now, session, None, Capability::None);
        let new = Self::new(cx.now, arrived, cx.policy());
        (self.session, self.expires) = (new.session, new.expires);
        (self.lifetime_secs, self.refresh_due) = (new.lifetime_secs, new.refresh_due);
        if self.over() == Some(EndReason::Expired) {
            self.state = RotationState::Idle;
        }
        self.begin_anew(out);
    }
}
