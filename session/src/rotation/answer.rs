//! S4: what comes back, whether it counts, and when to try again.

use crate::context::Context;
use crate::effect::Outbox;
use crate::error::{NetKind, NetTrouble, Over, Trouble};
use crate::input::Op;
use crate::jobs::{Found, Probe, Refresh, StoreJob};
use crate::journal::Capability;
use crate::notice::Notice;
use crate::policy::{retry_after, retry_at};
use crate::rotation::machine::{Hold, Outcome, Rotation};
use crate::rotation::state::{ArrivedSession, Attempt, Doubt, State};
use crate::token_response::Grant;

impl Rotation {
    /// S4: only an exact answer for the same user and session counts; only a refusal ends anything.
    pub(super) fn answered(
        &mut self,
        cx: &Context,
        op: Op,
        answer: Refresh,
        out: &mut Outbox,
    ) -> Vec<Outcome> {
        let (asked, doubt) = match self.take_state() {
            State::Attempt(Attempt::Sending { op: mine, asked, doubt }) if mine == op => (asked, doubt),
            other => {
                self.state = other;
                return Vec::new();
            }
        };
        let server = doubt.intent.server.clone();
        let (doubt, kind) = match answer {
            Refresh::Granted(grant) if self.is_for_this_session(&grant) => {
                let grant = self.complete(grant, cx.now.wall_at(asked));
                let holder = self.session.holder.clone();
                let arrived = ArrivedSession::granted(cx.now, asked, grant, holder);
                self.store_successor(false, doubt.intent, arrived, out);
                return Vec::new();
            }
            Refresh::Granted(_) => {
                out.notify(Notice::Alarm);
                (Doubt { doubtful: true, ..doubt }, NetKind::OtherSession)
            }
            Refresh::Refused => {
                self.confirm_refusal(out);
                return Vec::new();
            }
            Refresh::Rotating => {
                let since = doubt.rotating_since.or(Some(cx.now.boot));
                (Doubt { rotating_since: since, ..doubt }, NetKind::Rotating)
            }
            Refresh::Late => (doubt, NetKind::Late),
            Refresh::Declined(wait) => (doubt, wait.map_or(NetKind::Status(503), NetKind::Limited)),
            Refresh::Unclear(trouble) => {
                self.state = State::InDoubt(Doubt { doubtful: true, ..doubt });
                return self.try_again(cx, trouble, out);
            }
        };
        self.state = State::InDoubt(doubt);
        self.try_again(cx, NetTrouble { server, kind }, out)
    }

    /// Before a refusal is believed, the file is read again.
    pub(super) fn confirm_refusal(&mut self, out: &mut Outbox) {
        self.state = State::Refused(Some(out.store(StoreJob::Look)));
    }

    /// The refusal counts only for the session that the file still holds.
    pub(super) fn read_after_refusal(
        &mut self,
        cx: &Context,
        found: Found,
        out: &mut Outbox,
    ) -> Vec<Outcome> {
        self.state = State::Refused(None);
        match found {
            Found::Session { session, .. } if session.fingerprint() == self.fingerprint() => {
                self.end(cx, Over::Refused)
            }
            // Whatever took its place: the token was sent, and whoever leaves it must know.
            Found::Session { .. } | Found::Missing => vec![Outcome::Observed(found)],
            Found::Damaged(_) => {
                self.hold = Hold::Backoff(retry_at(cx.now, 1));
                vec![Outcome::Observed(found)]
            }
            Found::Unusable(why) => self.store_failed(cx, why, out),
        }
    }

    /// The server said where it stands, about a doubt or about a session written elsewhere.
    pub(super) fn probed(&mut self, cx: &Context, op: Op, probe: Probe, out: &mut Outbox) -> Vec<Outcome> {
        let ours = self.session.claims.generation.unwrap_or(0);
        match self.take_state() {
            State::Attempt(Attempt::CheckingGeneration(mine)) if mine == op => match probe {
                Probe::Generation(theirs) if theirs > ours => self.end(cx, Over::Copied),
                Probe::Unclear(trouble) => self.try_again(cx, trouble, out),
                Probe::Generation(_) | Probe::Refused | Probe::NoRoute => {
                    self.vetted = true;
                    self.connect(cx, None, out);
                    Vec::new()
                }
            },
            State::CheckingDoubt(mine, doubt) if mine == op => match probe {
                Probe::Generation(theirs) if theirs > ours => self.end(cx, Over::SessionLost),
                Probe::Generation(_) => {
                    self.begin(cx, Some(Doubt { doubtful: false, ..doubt }), out);
                    Vec::new()
                }
                Probe::Refused | Probe::NoRoute if self.left_ms(cx.now) == 0 => {
                    self.end(cx, Over::AnswerLost)
                }
                Probe::Unclear(trouble) => {
                    self.state = State::InDoubt(doubt);
                    self.try_again(cx, trouble, out)
                }
                Probe::Refused | Probe::NoRoute => {
                    self.state = State::InDoubt(doubt);
                    let server = cx.server_of(&self.session).to_owned();
                    self.try_again(cx, NetTrouble { server, kind: NetKind::NotTheContract }, out)
                }
            },
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// A try has failed for a passing reason: back off, and report it to those who can't wait that long.
    pub(super) fn try_again(&mut self, cx: &Context, trouble: NetTrouble, out: &mut Outbox) -> Vec<Outcome> {
        self.failures = self.failures.saturating_add(1);
        self.hold = match trouble.kind {
            NetKind::Limited(secs) => Hold::Until(retry_after(cx.now, secs)),
            // The first late answer taught us the server's clock; the next try is on time.
            NetKind::Late if self.failures == 1 => Hold::Free,
            _ => Hold::Backoff(retry_at(cx.now, self.failures)),
        };
        // Whoever asked may be gone, but "offline" must end by itself once the network is back.
        self.refresh_due = self.refresh_due.min(cx.now.boot);
        let last = Some(Trouble::Net(trouble.clone()));
        if self.last != last {
            out.notify(Notice::RefreshFailed(trouble.clone()));
        }
        self.last = last;
        vec![Outcome::Failed(Trouble::Net(trouble))]
    }

    /// Where the answer has no new refresh token, the old one stays (RFC 6749 section 6), and with it its expiry; it
    /// is good for more than one use then. `asked` is when it was asked for, in unix seconds.
    fn complete(&self, grant: Grant, asked: u64) -> Grant {
        let stays = grant.refresh.is_none();
        let same = stays || grant.refresh == self.session.refresh;
        let expires = |at: u64| i64::try_from(at.saturating_sub(asked)).unwrap_or(i64::MAX);
        Grant {
            refresh: grant.refresh.or_else(|| self.session.refresh.clone()),
            refresh_expires_in: grant
                .refresh_expires_in
                .or_else(|| self.session.refresh_expires_at.filter(|_| stays).map(expires)),
            capability: if same { Capability::Reusable } else { grant.capability },
            ..grant
        }
    }

    /// N31: an answer counts only for the same user and session, as far as both tokens say.
    fn is_for_this_session(&self, grant: &Grant) -> bool {
        let agrees = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) | (_, None) => true,
        };
        let known = self.session.holder.user.as_ref().map(|user| &user.id);
        let claims = &self.session.claims;
        let user = grant.user.as_ref().is_none_or(|user| known.is_none_or(|known| *known == user.id));
        let subject =
            grant.claims.subject.as_ref().is_none_or(|subject| known.is_none_or(|known| known == subject))
                || agrees(&claims.subject, &grant.claims.subject) && claims.subject.is_some();
        user && subject && agrees(&claims.session_id, &grant.claims.session_id)
    }
}
