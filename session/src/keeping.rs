//! S5 and S6: what has arrived is made durable, put in the place of its parent, and only then used. A successor that
//! can't be stored is kept in memory, and one that came too late for the file gives way. Nothing is sent from here.

use crate::Op;
use crate::job::{Found, Replaced, StoreJob};
use crate::policy::retry_at;
use crate::profile::{Account, Profile};
use crate::record::{Intent, Over};
use crate::rotation::{Fresh, Hold, Rotation, SignedIn};
use crate::time::Moment;
use crate::trouble::{Notice, StoreKind, StoreTrouble, Trouble};

impl Profile {
    /// S5: journal first, then the file.
    pub(crate) fn keep(&mut self, committed: bool, intent: Intent, fresh: Fresh) {
        let session = fresh.session.clone();
        let rotation = if committed {
            let op = self.store(StoreJob::Replace { parent: Some(intent.parent), session });
            Rotation::Replacing(op, intent, fresh)
        } else {
            let op = self.store(StoreJob::Commit(session));
            Rotation::Committing(op, intent, fresh)
        };
        self.with_held(|held| held.rotation = rotation);
    }

    /// S5 has ended, or failed, or another program's file won.
    pub(crate) fn replaced(&mut self, now: &Moment, op: Op, result: Result<Replaced, StoreTrouble>) {
        if self.flow.as_ref().is_some_and(|flow| flow.owns(op)) {
            return self.sign_in_replaced(now, result);
        }
        let Account::In(held) = &mut self.account else { return };
        let (intent, fresh) = match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Replacing(mine, intent, fresh) if mine == op => (intent, fresh),
            other => {
                held.rotation = other;
                return;
            }
        };
        match result {
            Ok(Replaced::Done) => self.publish(now, intent, fresh),
            Ok(Replaced::GaveWay(found)) => self.gave_way(now, intent, fresh, *found),
            Err(why) => self.stuck(now, true, intent, fresh, why),
        }
    }

    /// The file does not hold the parent any more.
    fn gave_way(&mut self, now: &Moment, intent: Intent, fresh: Fresh, found: Found) {
        match &found {
            // An earlier try failed after the exchange. Once more, or the folder might not be durable.
            Found::Session { session, .. } if session.fingerprint() == fresh.session.fingerprint() => {
                let parent = Some(fresh.session.fingerprint());
                let op = self.store(StoreJob::Replace { parent, session: fresh.session.clone() });
                self.with_held(|held| held.rotation = Rotation::Replacing(op, intent, fresh));
            }
            // No winner: the pair is all there is, so it is kept until the file can be read or is out of the way.
            Found::Damaged(_) => {
                let path = self.settings.session_file.clone();
                self.stuck(now, true, intent, fresh, StoreTrouble { path, kind: StoreKind::Damaged });
                self.looked(now, found);
            }
            Found::Unusable(why) => self.stuck(now, true, intent, fresh, why.clone()),
            Found::Session { .. } | Found::Missing => {
                self.tell(Notice::GaveWay);
                self.give_back(now, &fresh, &found);
                let until = fresh.session.works_until(now.wall);
                self.sidecar.spend(intent.parent, until, Over::Restored, now.wall);
                self.books.must_write();
                self.with_held(|held| held.rotation = Rotation::Over(Over::Restored));
                self.looked(now, found);
            }
        }
    }

    /// A damaged file has been moved out of the way of a session that is kept in memory.
    pub(crate) fn keep_in_the_gap(&mut self) {
        let Account::In(held) = &mut self.account else { return };
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Stuck { committed: true, intent, fresh } => {
                let op = self.store(StoreJob::Replace { parent: None, session: fresh.session.clone() });
                self.with_held(|held| held.rotation = Rotation::Replacing(op, intent, fresh));
            }
            other => held.rotation = other,
        }
    }

    /// S6: the successor is durable, so it may be used; its parent never again.
    fn publish(&mut self, now: &Moment, intent: Intent, fresh: Fresh) {
        let Account::In(held) = &mut self.account else { return };
        // Where the server leaves the refresh token as it is, there is nothing spent.
        if intent.parent != fresh.session.fingerprint() {
            let until = held.session.works_until(now.wall).max(fresh.session.works_until(now.wall));
            self.sidecar.spend(intent.parent, until, Over::Restored, now.wall);
        }
        self.pin_to(&fresh, intent.server);
        self.books.must_write();
        let refreshed = fresh.asked.or(Some(now.boot));
        let next = SignedIn::new(now, fresh, self.settings.policy.margin_secs);
        let next = SignedIn { refreshed, vetted: true, ..next };
        self.account = Account::In(Box::new(next));
        self.tell(Notice::Refreshed);
    }

    /// Our successor came too late for the file. It is revoked if it is another session than the one that won;
    /// within the same session that would sign the winner out.
    fn give_back(&mut self, now: &Moment, fresh: &Fresh, winner: &Found) {
        let ours = fresh.session.claims.session_id.as_ref();
        let revoke = match winner {
            Found::Missing => true,
            Found::Session { session, .. } => ours.is_some() && session.claims.session_id.as_ref() != ours,
            Found::Damaged(_) | Found::Unusable(_) => false,
        };
        if revoke {
            let revocation = self.revocation(now, &fresh.session);
            self.queue_revocation(now, revocation);
        }
    }

    pub(crate) fn stuck(
        &mut self,
        now: &Moment,
        committed: bool,
        intent: Intent,
        fresh: Fresh,
        why: StoreTrouble,
    ) {
        self.with_held(|held| {
            held.rotation = Rotation::Stuck { committed, intent, fresh };
        });
        self.refresh_stored_badly(now, why);
    }

    /// A file is in the way of a refresh: back off, and tell those who wait.
    pub(crate) fn refresh_stored_badly(&mut self, now: &Moment, why: StoreTrouble) {
        let Account::In(held) = &mut self.account else { return };
        held.failures = held.failures.saturating_add(1);
        held.hold = Hold::Backoff(retry_at(now, held.failures));
        held.last = Some(Trouble::Store(why.clone()));
        self.tell(Notice::StoreFailed(why.clone()));
        self.fail_waiting(now, &Trouble::Store(why));
    }
}
