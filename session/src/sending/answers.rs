//! S4: what comes back, whether it counts, and when to try again.

use super::Attempt;
use crate::Op;
use crate::job::{Probe, Refresh, StoreJob};
use crate::policy::{retry_after, retry_at};
use crate::profile::{Account, Profile};
use crate::record::{Capability, Grant, Over};
use crate::rotation::{Doubt, Fresh, Hold, Rotation, SignedIn};
use crate::time::Moment;
use crate::trouble::{NetKind, NetTrouble, Notice, Trouble};

impl Profile {
    /// S4: only an exact answer for the same user and session counts; only a refusal ends anything.
    pub(crate) fn answered(&mut self, now: &Moment, op: Op, answer: Refresh, server_time: Option<u64>) {
        self.server_clock.learn(now, server_time);
        if let Some(abandoned) = self.take_abandoned(op) {
            if let Refresh::Granted(grant) = answer {
                self.discard(now, abandoned, grant);
            }
            return;
        }
        let Account::In(held) = &mut self.account else { return };
        let (asked, sent) = match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Sending(mine, asked, sent) if mine == op => (asked, sent),
            other => {
                held.rotation = other;
                return;
            }
        };
        let server = sent.intent.server.clone();
        let trouble = |kind| NetTrouble { server: server.clone(), kind };
        match answer {
            Refresh::Granted(grant) if same_session(held, &grant) => {
                let grant = successor(grant, held, now.wall_at(asked));
                let fresh = Fresh::arrived(now, asked, grant, held.session.holder.clone());
                self.keep(false, sent.intent, fresh);
            }
            Refresh::Granted(_) => {
                held.rotation = Rotation::Doubt(Doubt { doubtful: true, ..sent });
                self.tell(Notice::Alarm);
                self.try_again(now, trouble(NetKind::OtherSession));
            }
            Refresh::Refused => self.recheck(),
            Refresh::Rotating => {
                let since = sent.rotating_since.or(Some(now.boot));
                held.rotation = Rotation::Doubt(Doubt { rotating_since: since, ..sent });
                self.try_again(now, trouble(NetKind::Rotating));
            }
            Refresh::Late => {
                held.rotation = Rotation::Doubt(sent);
                self.try_again(now, trouble(NetKind::Late));
            }
            Refresh::Declined(wait) => {
                held.rotation = Rotation::Doubt(sent);
                let kind = wait.map_or(NetKind::Status(503), NetKind::Limited);
                self.try_again(now, trouble(kind));
            }
            Refresh::Unclear(trouble) => {
                held.rotation = Rotation::Doubt(Doubt { doubtful: true, ..sent });
                self.try_again(now, trouble);
            }
        }
    }

    /// Before a refusal is believed.
    pub(super) fn recheck(&mut self) {
        let op = self.store(StoreJob::Look);
        self.with_held(|held| held.rotation = Rotation::Rechecking(op));
    }

    /// The server said where it stands, about a doubt or about a session written elsewhere.
    pub(crate) fn probed(&mut self, now: &Moment, op: Op, probe: Probe, server_time: Option<u64>) {
        self.server_clock.learn(now, server_time);
        let server = self.server().to_owned();
        let Account::In(held) = &mut self.account else { return };
        let ours = held.session.claims.generation.unwrap_or(0);
        match std::mem::replace(&mut held.rotation, Rotation::Rest) {
            Rotation::Vetting(mine) if mine == op => match probe {
                Probe::Generation(theirs) if theirs > ours => self.end_session(now, Over::Copied),
                Probe::Unclear(trouble) => self.try_again(now, trouble),
                Probe::Generation(_) | Probe::Refused | Probe::NoRoute => {
                    held.vetted = true;
                    self.connect(Attempt::default());
                }
            },
            Rotation::Probing(mine, doubt) if mine == op => match probe {
                Probe::Generation(theirs) if theirs > ours => self.end_session(now, Over::SessionLost),
                Probe::Generation(_) => {
                    self.begin(now, Attempt::after(Doubt { doubtful: false, ..doubt }));
                }
                Probe::Refused | Probe::NoRoute if held.left_ms(now) == 0 => {
                    self.end_session(now, Over::AnswerLost);
                }
                Probe::Unclear(trouble) => {
                    held.rotation = Rotation::Doubt(doubt);
                    self.try_again(now, trouble);
                }
                Probe::Refused | Probe::NoRoute => {
                    held.rotation = Rotation::Doubt(doubt);
                    self.try_again(now, NetTrouble { server, kind: NetKind::NotTheContract });
                }
            },
            other => held.rotation = other,
        }
    }

    /// A try has failed for a passing reason: back off, and tell those who can't wait that long.
    pub(super) fn try_again(&mut self, now: &Moment, trouble: NetTrouble) {
        let Account::In(held) = &mut self.account else { return };
        held.failures = held.failures.saturating_add(1);
        held.hold = match trouble.kind {
            NetKind::Limited(secs) => Hold::Until(retry_after(now, secs)),
            // The first late answer taught us the server's clock; the next try is on time.
            NetKind::Late if held.failures == 1 => Hold::Free,
            _ => Hold::Backoff(retry_at(now, held.failures)),
        };
        // Whoever asked may be gone, but "offline" must end by itself once the network is back.
        held.due = held.due.min(now.boot);
        let known = held.last == Some(Trouble::Net(trouble.clone()));
        held.last = Some(Trouble::Net(trouble.clone()));
        if !known {
            self.tell(Notice::RefreshFailed(trouble.clone()));
        }
        self.fail_waiting(now, &Trouble::Net(trouble));
    }
}

/// Where the answer has no new refresh token, the old one stays (RFC 6749 section 6), and with it its expiry; it is
/// good for more than one use then. `asked` is when it was asked for, in unix seconds.
fn successor(grant: Grant, held: &SignedIn, asked: u64) -> Grant {
    let stays = grant.refresh.is_none();
    let same = stays || grant.refresh == held.session.refresh;
    let expires = |at: u64| i64::try_from(at.saturating_sub(asked)).unwrap_or(i64::MAX);
    Grant {
        refresh: grant.refresh.or_else(|| held.session.refresh.clone()),
        refresh_expires_in: grant
            .refresh_expires_in
            .or_else(|| held.session.refresh_expires_at.filter(|_| stays).map(expires)),
        capability: if same { Capability::Reusable } else { grant.capability },
        ..grant
    }
}

/// N31: an answer counts only for the same user and session, as far as both tokens tell.
fn same_session(held: &SignedIn, grant: &Grant) -> bool {
    let agrees = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (None, _) | (_, None) => true,
    };
    let known = held.session.holder.user.as_ref().map(|user| &user.id);
    let user = grant.user.as_ref().is_none_or(|user| known.is_none_or(|known| *known == user.id));
    let subject =
        grant.claims.subject.as_ref().is_none_or(|subject| known.is_none_or(|known| known == subject))
            || agrees(&held.session.claims.subject, &grant.claims.subject)
                && held.session.claims.subject.is_some();
    user && subject && agrees(&held.session.claims.session_id, &grant.claims.session_id)
}
