//! S0 to S4: one refresh from the look at the file to the answer, and everything that can come between.
//! `keeping.rs` stores what has arrived.

mod answers;

use crate::Op;
use crate::job::{Found, NetJob, StoreJob};
use crate::policy::{Replay, retry_at};
use crate::profile::{Account, Profile};
use crate::record::{Capability, Intent, Over, hex};
use crate::registration::At;
use crate::rotation::{Attempt, Doubt, Hold, Rotation, SignedIn};
use crate::time::{Boot, Moment};
use crate::trouble::{NetTrouble, StoreTrouble};
use everkey_proto::Secret;

/// How long after the look at the file a request's deadline lies, in seconds. RR-1 allows 30, but takes a second key
/// for theft 10 s after another program's rotation: a request must not arrive that long after the look.
const DEADLINE_SECS: u64 = 9;

/// How long a look at the file is good for, in milliseconds; after a slow connect it is looked at once more.
const FRESH_MS: u64 = 1_000;

/// How long a request may be on its way to a server whose clock is not known, in seconds.
const LONGEST_WAY_SECS: u64 = 60;

/// How long `rotation_in_progress` is believed, in milliseconds.
const ROTATING_MS: u64 = 60_000;

impl Profile {
    /// Takes the next step of a refresh when its time has come.
    pub(crate) fn start_refresh_if_due(&mut self, now: &Moment) {
        if self.refresh_at(now).is_none_or(|at| at > now.boot) {
            return;
        }
        let Account::In(held) = &mut self.account else { return };
        if self.waiting.iter().any(|w| w.is_forced(held)) {
            self.waiting.iter_mut().for_each(|w| w.force_is_used());
        }
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Doubt(doubt) => self.resolve(now, doubt),
            Rotation::Stuck { committed, intent, fresh } => self.keep(committed, intent, fresh),
            Rotation::Unconfirmed => self.recheck(),
            Rotation::Rest => self.begin(now, Attempt::default()),
            busy @ (Rotation::Looking(..)
            | Rotation::Vetting(_)
            | Rotation::Connecting(..)
            | Rotation::Noting { .. }
            | Rotation::Sending(..)
            | Rotation::Probing(..)
            | Rotation::Rechecking(_)
            | Rotation::Committing(..)
            | Rotation::Replacing(..)
            | Rotation::Over(_)) => held.rotation = busy,
        }
    }

    /// S0.
    fn begin(&mut self, now: &Moment, attempt: Attempt) {
        let op = self.store(StoreJob::Look);
        self.with_held(|held| {
            held.tried = Some(now.boot);
            held.hold = Hold::Free;
            held.rotation = Rotation::Looking(op, attempt);
        });
    }

    /// What an open intent allows (I3): send again, ask the server, wait, or give up.
    fn resolve(&mut self, now: &Moment, doubt: Doubt) {
        let Account::In(held) = &mut self.account else { return };
        let contested = doubt.rotating_since.is_some_and(|since| since.ms_until(now.boot) >= ROTATING_MS);
        if contested {
            return self.give_up_contested(now);
        }
        if !doubt.doubtful {
            return self.begin(now, Attempt::after(doubt));
        }
        match doubt.intent.capability {
            Capability::Rr1 | Capability::Reusable => self.begin(now, Attempt::after(doubt)),
            Capability::Probe if doubt.closed > now.boot => {
                held.hold = Hold::Until(doubt.closed);
                held.rotation = Rotation::Doubt(doubt);
            }
            Capability::Probe => {
                let access = held.session.access.clone();
                let at = At { server: doubt.intent.server.clone(), ..self.at() };
                let op = self.net(NetJob::Probe { at, access });
                self.with_held(|held| held.rotation = Rotation::Probing(op, doubt));
            }
            Capability::None if held.left_ms(now) > 0 => {
                held.hold = Hold::Until(held.expires);
                held.rotation = Rotation::Doubt(doubt);
            }
            Capability::None => match self.settings.policy.replay {
                Replay::Rejects if doubt.intent.sends < 2 => {
                    self.begin(now, Attempt::after(doubt));
                }
                Replay::Rejects | Replay::RevokesAll => self.end_session(now, Over::AnswerLost),
            },
        }
    }

    /// S0 is done: only the token that we hold may go on.
    pub(crate) fn looked_before_use(&mut self, now: &Moment, op: Op, found: Found) {
        let Account::In(held) = &mut self.account else { return };
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Looking(mine, attempt) if mine == op => match found {
                // Where the refresh token stays, another program may have refreshed: perhaps nobody needs to any more.
                Found::Session { session, .. }
                    if session.fingerprint() == held.fingerprint()
                        && session.access == held.session.access =>
                {
                    match attempt.connection {
                        Some(connection) => self.note(now, connection, attempt),
                        None => self.connect(attempt),
                    }
                }
                Found::Session { .. } | Found::Missing => {
                    self.rest(attempt);
                    self.looked(now, found);
                }
                // Somebody may be in the middle of writing it: nothing is sent until it is a session again.
                Found::Damaged(_) => {
                    held.hold = Hold::Backoff(retry_at(now, 1));
                    self.rest(attempt);
                    self.looked(now, found);
                }
                Found::Unusable(why) => {
                    self.rest(attempt);
                    self.refresh_stored_badly(now, why);
                }
            },
            Rotation::Rechecking(mine) if mine == op => match found {
                Found::Session { session, .. } if session.fingerprint() == held.fingerprint() => {
                    self.end_session(now, Over::Refused);
                }
                // Whatever took its place: the token was sent, and whoever leaves it must know.
                Found::Session { .. } | Found::Missing => {
                    held.rotation = Rotation::Unconfirmed;
                    self.looked(now, found);
                }
                Found::Damaged(_) => {
                    held.rotation = Rotation::Unconfirmed;
                    held.hold = Hold::Backoff(retry_at(now, 1));
                    self.looked(now, found);
                }
                Found::Unusable(why) => {
                    held.rotation = Rotation::Unconfirmed;
                    self.refresh_stored_badly(now, why);
                }
            },
            other => held.rotation = other,
        }
    }

    /// S1, after asking the server about a session that this agent did not write.
    fn connect(&mut self, attempt: Attempt) {
        let at = self.at();
        let server = attempt.earlier.as_ref().map_or(&at.server, |doubt| &doubt.intent.server).clone();
        let at = At { server, ..at };
        let Account::In(held) = &mut self.account else { return };
        let access = held.session.access.clone();
        let vet = !held.vetted && held.session.claims.generation.is_some() && attempt.earlier.is_none();
        if vet {
            let op = self.net(NetJob::Probe { at, access });
            self.with_held(|held| held.rotation = Rotation::Vetting(op));
        } else {
            let op = self.net(NetJob::Connect { at });
            self.with_held(|held| held.rotation = Rotation::Connecting(op, attempt));
        }
    }

    /// S1 is done, or has failed.
    pub(crate) fn connected(&mut self, now: &Moment, op: Op, result: Result<(), NetTrouble>) {
        let Account::In(held) = &mut self.account else { return };
        let attempt = match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Connecting(mine, attempt) if mine == op => attempt,
            other => {
                held.rotation = other;
                return;
            }
        };
        if let Err(trouble) = result {
            self.rest(attempt);
            return self.try_again(now, trouble);
        }
        if held.tried.is_none_or(|looked| looked.ms_until(now.boot) < FRESH_MS) {
            return self.note(now, op, attempt);
        }
        let look = self.store(StoreJob::Look);
        let attempt = Attempt { connection: Some(op), ..attempt };
        self.with_held(|held| {
            held.tried = Some(now.boot);
            held.rotation = Rotation::Looking(look, attempt);
        });
    }

    /// S2: the connection stands, so the intent is written; with the key of an earlier send, if there was one (I2).
    fn note(&mut self, now: &Moment, connection: Op, attempt: Attempt) {
        if !self.may_refresh() {
            return self.rest(Attempt { connection: Some(connection), ..attempt });
        }
        let closed = self.closed(now);
        let (epoch, capability) = (self.sidecar.epoch, self.capability());
        let server = self.server().to_owned();
        let Account::In(held) = &self.account else { return };
        let looked = held.tried.unwrap_or(now.boot);
        let deadline = self.server_clock.at(now, looked).saturating_add(DEADLINE_SECS);
        let next = match attempt.earlier {
            Some(Doubt { intent, doubtful, rotating_since, closed: before }) => {
                let sends = intent.sends.saturating_add(1);
                let intent = Intent { deadline, sends, ..intent };
                Doubt { intent, doubtful, rotating_since, closed: closed.max(before) }
            }
            None => {
                let intent = Intent {
                    epoch,
                    parent: held.fingerprint(),
                    key: Secret::new(hex(&now.random("idempotency key"))),
                    server,
                    deadline,
                    capability,
                    sends: 1,
                };
                Doubt { intent, doubtful: false, rotating_since: None, closed }
            }
        };
        let stored = self.store(StoreJob::Note(next.intent.clone()));
        self.with_held(|held| held.rotation = Rotation::Noting { connection, stored, next });
    }

    /// Nothing is sent after all.
    fn rest(&mut self, attempt: Attempt) {
        if let Some(connection) = attempt.connection {
            self.cancel(connection);
        }
        self.with_held(|held| held.rotation = attempt.earlier.map_or(Rotation::Rest, Rotation::Doubt));
    }

    /// Another program has refreshed: a try that has sent nothing begins anew, if one is still wanted.
    pub(crate) fn reconsider(&mut self) {
        let Account::In(held) = &mut self.account else { return };
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Connecting(op, Attempt { earlier: None, .. })
            | Rotation::Looking(_, Attempt { earlier: None, connection: Some(op) }) => self.cancel(op),
            Rotation::Looking(_, Attempt { earlier: None, connection: None }) => {}
            other => held.rotation = other,
        }
    }

    /// When a request sent now can't be carried out any more: its deadline, if it was set by the server's own clock,
    /// else the longest time on the way that is believed in.
    pub(crate) fn closed(&self, now: &Moment) -> Boot {
        let secs = if self.server_clock.is_known() { DEADLINE_SECS } else { LONGEST_WAY_SECS };
        now.boot.plus_secs(secs + 2)
    }

    /// The end of a store job of the rotation: S2's intent or S5's outcome.
    pub(crate) fn rotation_stored(&mut self, now: &Moment, op: Op, result: Result<(), StoreTrouble>) {
        let Account::In(held) = &mut self.account else { return };
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Noting { connection, stored, next } if stored == op => match result {
                Ok(()) => self.send(now, connection, next),
                Err(why) => {
                    // Nothing is sent, but the note may have reached the disk: its key stays this token's only one.
                    held.rotation = Rotation::Doubt(next);
                    self.cancel(connection);
                    self.refresh_stored_badly(now, why);
                }
            },
            Rotation::Committing(mine, intent, fresh) if mine == op => match result {
                Ok(()) => self.keep(true, intent, fresh),
                Err(why) => self.stuck(now, false, intent, fresh, why),
            },
            other => held.rotation = other,
        }
    }

    /// S3: from the first byte on, the outcome is in doubt.
    fn send(&mut self, now: &Moment, connection: Op, next: Doubt) {
        let may_refresh = self.may_refresh();
        let at = At { server: next.intent.server.clone(), ..self.at() };
        let Account::In(held) = &mut self.account else { return };
        let Some(refresh) = held.session.refresh.clone().filter(|_| may_refresh) else {
            held.rotation = Rotation::Doubt(next);
            held.hold = Hold::Backoff(retry_at(now, 1));
            return self.cancel(connection);
        };
        let (key, deadline) = (next.intent.key.clone(), next.intent.deadline);
        held.rotation = Rotation::Sending(connection, now.boot, next);
        self.net_on(connection, NetJob::Send { at, refresh, key, deadline });
    }

    pub(crate) fn with_held(&mut self, change: impl FnOnce(&mut SignedIn)) {
        if let Account::In(held) = &mut self.account {
            change(held);
        }
    }
}

impl Attempt {
    /// Another send of the same token.
    fn after(earlier: Doubt) -> Self {
        Self { earlier: Some(earlier), connection: None }
    }
}
