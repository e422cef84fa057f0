//! Profiles whose session is simply asked for again: when that is due, and what comes of it.

use crate::context::MachineContext;
use crate::error::Error;
use crate::input::Waiter;
use crate::login::LoginEvent;
use crate::policy::Renewal;
use crate::profile::{Profile, context};
use crate::session_file::FileState;
use crate::time::{Boot, Moment, Wake, WakeReason};
use crate::waiters::token;
use everkey_proto::SignInMethod;

impl Profile {
    pub(super) fn asks_again(&self) -> bool {
        self.facts.settings.policy.renewal == Renewal::ClientCredentials
    }

    /// Somebody wants a token where there is no session yet; false if nobody can ask for one.
    pub(super) fn wait_for_credentials_grant(&mut self, now: &Moment, waiter: Waiter) -> bool {
        let can =
            self.asks_again() && self.facts.owner.is_ok() && matches!(self.file, FileState::SignedOut(_));
        if can {
            self.credentials_grant.wait(now, waiter);
        }
        can
    }

    /// When the next token is to be asked for, or a client's patience ends.
    pub(super) fn credentials_grant_due(&self, now: &Moment) -> Option<Wake> {
        let patience = self.credentials_grant.patience_ends().map(|at| WakeReason::CLIENT_PATIENCE.at(at));
        let ask = self.ask_at(now).map(|at| WakeReason::REFRESH.at(at.max(self.credentials_grant.next())));
        [patience, ask].into_iter().flatten().min_by_key(|wake| wake.at)
    }

    fn ask_at(&self, now: &Moment) -> Option<Boot> {
        if !self.asks_again() || self.facts.owner.is_err() || self.login.is_under_way() || !self.may_store() {
            return None;
        }
        let Some(rotation) = self.file.rotation() else {
            return (self.credentials_grant.is_wanted()).then_some(Boot(0));
        };
        let demand = self.waiters.demand(now, rotation);
        let gap = rotation.refreshed().filter(|_| !demand.forced);
        let gap = gap.map_or(Boot(0), |at| at.plus_ms(rotation.gap_ms(&self.facts.settings.policy)));
        let wanted = demand.wanted || demand.forced;
        Some(if wanted { gap } else { rotation.renewal_due().max(gap) })
    }

    pub(super) fn ask_if_due(&mut self, now: &Moment) {
        self.credentials_grant.expire(now, &mut self.outbox);
        let due = self.ask_at(now).is_some_and(|at| at.max(self.credentials_grant.next()) <= now.boot);
        if due {
            self.credentials_grant.begun();
            let server = self.server().to_owned();
            self.sign_in(now, LoginEvent::Ask { server, scheme: SignInMethod::Client });
            self.waiters.force_is_used();
        }
    }

    pub(super) fn client_changed(&mut self, now: &Moment) {
        self.credentials_grant.client_changed();
        if let Some(rotation) = self.file.rotation_mut() {
            rotation.client_changed(now);
        }
    }

    /// The session was asked for, and is there.
    pub(super) fn credentials_grant_succeeded(&mut self) {
        if let Some(rotation) = self.file.rotation() {
            self.credentials_grant.succeeded(&token(rotation, None), &mut self.outbox);
        }
    }

    /// It could not be had this time.
    pub(super) fn credentials_grant_failed(&mut self, now: &Moment, why: &Error) {
        self.credentials_grant.failed(now, why, &mut self.outbox);
        let next = self.credentials_grant.next();
        let cx = context!(self, now);
        if let Some(rotation) = self.file.rotation_mut() {
            rotation.asked_in_vain(&cx, why, next);
            self.waiters.fail(now, why, rotation, &mut self.outbox);
        }
    }
}
