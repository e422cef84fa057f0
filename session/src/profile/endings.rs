//! Ends of sign-ins that can be foreseen: announced in time, and learnt from.

use crate::endings::{AnnouncedEnding, Ending, foreseen, learn_lifetime};
use crate::error::EndReason;
use crate::notice::Notice;
use crate::profile::Profile;
use crate::time::{Moment, Wake, WakeReason};

impl Profile {
    pub(super) fn foreseen_ending(&self) -> Option<Ending> {
        // Where it is simply asked for again nobody is needed.
        let rotation = self.file.rotation().filter(|one| one.over().is_none() && !self.asks_again())?;
        let session = rotation.session();
        let sidecar = self.sidecar.data();
        let ours = sidecar.pin.as_ref().filter(|pin| pin.fingerprint == rotation.fingerprint());
        let learnt = sidecar.lifetimes.iter().find(|learnt| learnt.server == self.server());
        foreseen(session, ours.map(|pin| &pin.span), learnt)
    }

    pub(super) fn ending_due(&self, now: &Moment) -> Option<Wake> {
        let ending = self.foreseen_ending()?;
        let at = ending.announce_at(self.sidecar.data().announced.as_ref(), now.wall)?;
        let left = at.saturating_sub(now.wall);
        Some(WakeReason::ANNOUNCE_ENDING.at(now.boot.plus_secs(left)))
    }

    pub(super) fn announce_ending_if_due(&mut self, now: &Moment) {
        let due = self.ending_due(now).is_some_and(|wake| wake.at <= now.boot);
        let Some(ending) = self.foreseen_ending().filter(|_| due && self.facts.owner.is_ok()) else { return };
        self.sidecar.change().announced = Some(AnnouncedEnding { by: ending.by, at: now.wall });
        self.outbox.notify(Notice::SignInAhead { by: Some(ending.by), why: ending.why });
    }

    /// A plain refusal shows how long a sign-in lives; whatever else ends one says nothing about that.
    pub(super) fn learn_lifetime(&mut self, now: &Moment, why: EndReason) {
        let began = self.sidecar.data().pin.as_ref().and_then(|pin| pin.span.began);
        let Some(began) = began.filter(|_| why == EndReason::Refused) else { return };
        let server = self.server().to_owned();
        let secs = now.wall.saturating_sub(began);
        learn_lifetime(&mut self.sidecar.change().lifetimes, &server, secs);
    }

    /// Unix seconds at which a sign-in may be needed: because of a doubt, or because the sign-in ends.
    pub(super) fn sign_in_by(&self, doubt: Option<u64>) -> Option<u64> {
        let ends = self.foreseen_ending().map(|ending| ending.by);
        [doubt, ends].into_iter().flatten().min()
    }
}
