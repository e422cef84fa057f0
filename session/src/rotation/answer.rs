//! S4: what comes back, whether it counts, and when to try again.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{EndReason, Error, NetError, NetErrorKind};
use crate::input::Op;
use crate::jobs::{FileContent, ProbeAnswer, RefreshAnswer, StoreJob};
use crate::journal::Capability;
use crate::notice::Notice;
use crate::policy::{retry_after, retry_at};
use crate::rotation::machine::{Hold, Rotation, RotationOutcome};
use crate::rotation::state::{ArrivedSession, Doubt, RotationAttempt, RotationState};
use crate::token_response::TokenResponse;

impl Rotation {
    /// S4: only an exact answer for the same user and session counts; only a refusal ends anything.
    pub(super) fn answered(
        &mut self,
        cx: &MachineContext,
        op: Op,
        answer: RefreshAnswer,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let (asked, doubt) = match self.take_state() {
            RotationState::Attempt(RotationAttempt::Sending { op: mine, asked, doubt }) if mine == op => {
                (asked, doubt)
            }
            other => {
                self.state = other;
                return Vec::new();
            }
        };
        let server = doubt.intent.server.clone();
        let (doubt, kind) = match answer {
            RefreshAnswer::Granted(tokens) if self.is_for_this_session(&tokens) => {
                let tokens = self.complete(tokens, cx.now.wall_at(asked));
                let holder = self.session.holder.clone();
                let arrived = ArrivedSession::granted(cx.now, asked, tokens, holder);
                self.store_successor(false, doubt.intent, arrived, out);
                return Vec::new();
            }
            RefreshAnswer::Granted(_) => {
                out.notify(Notice::Alarm);
                (Doubt { doubtful: true, ..doubt }, NetErrorKind::OtherSession)
            }
            RefreshAnswer::Refused => {
                self.confirm_refusal(out);
                return Vec::new();
            }
            RefreshAnswer::Rotating => {
                let since = doubt.rotating_since.or(Some(cx.now.boot));
                (Doubt { rotating_since: since, ..doubt }, NetErrorKind::Rotating)
            }
            RefreshAnswer::Late => (doubt, NetErrorKind::Late),
            RefreshAnswer::Declined(error) => {
                self.state = RotationState::InDoubt(doubt);
                return self.try_again(cx, error, out);
            }
            RefreshAnswer::Unclear(error) => {
                self.state = RotationState::InDoubt(Doubt { doubtful: true, ..doubt });
                return self.try_again(cx, error, out);
            }
        };
        self.state = RotationState::InDoubt(doubt);
        self.try_again(cx, NetError { server, kind }, out)
    }

    /// Before a refusal is believed, the file is read again.
    pub(super) fn confirm_refusal(&mut self, out: &mut Outbox) {
        self.state = RotationState::Refused(Some(out.store(StoreJob::ReadSession)));
    }

    /// The refusal counts only for the session that the file still holds.
    pub(super) fn read_after_refusal(
        &mut self,
        cx: &MachineContext,
        found: FileContent,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        self.state = RotationState::Refused(None);
        match found {
            FileContent::Session { session, .. } if session.fingerprint() == self.fingerprint() => {
                self.end(cx, EndReason::Refused)
            }
            // Whatever took its place: the token was sent, and whoever leaves it must know.
            FileContent::Session { .. } | FileContent::Missing => vec![RotationOutcome::Observed(found)],
            FileContent::Damaged(_) => {
                self.hold = Hold::Backoff(retry_at(cx.now, 1));
                vec![RotationOutcome::Observed(found)]
            }
            FileContent::Unusable(why) => self.store_failed(cx, why, out),
        }
    }

    /// The server said where it stands, about a doubt or about a session written elsewhere.
    pub(super) fn probed(
        &mut self,
        cx: &MachineContext,
        op: Op,
        probe: ProbeAnswer,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let ours = self.session.claims.generation.unwrap_or(0);
        match self.take_state() {
            RotationState::Attempt(RotationAttempt::CheckingGeneration(mine)) if mine == op => match probe {
                ProbeAnswer::Generation(theirs) if theirs > ours => self.end(cx, EndReason::Copied),
                ProbeAnswer::Unclear(error) => self.try_again(cx, error, out),
                ProbeAnswer::Generation(_) | ProbeAnswer::Refused | ProbeAnswer::NoRoute => {
                    self.vetted = true;
                    self.connect(cx, None, out);
                    Vec::new()
                }
            },
            RotationState::CheckingDoubt(mine, doubt) if mine == op => match probe {
                ProbeAnswer::Generation(theirs) if theirs > ours => self.end(cx, EndReason::SessionLost),
                ProbeAnswer::Generation(_) => {
                    self.begin(cx, Some(Doubt { doubtful: false, ..doubt }), out);
                    Vec::new()
                }
                ProbeAnswer::Refused | ProbeAnswer::NoRoute if self.left_ms(cx.now) == 0 => {
                    self.end(cx, EndReason::AnswerLost)
                }
                ProbeAnswer::Unclear(error) => {
                    self.state = RotationState::InDoubt(doubt);
                    self.try_again(cx, error, out)
                }
                ProbeAnswer::Refused | ProbeAnswer::NoRoute => {
                    self.state = RotationState::InDoubt(doubt);
                    let server = cx.server_of(&self.session).to_owned();
                    self.try_again(cx, NetError { server, kind: NetErrorKind::NotTheContract }, out)
                }
            },
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// A try has failed for a passing reason: back off, and report it to those who can't wait that long.
    pub(super) fn try_again(
        &mut self,
        cx: &MachineContext,
        error: NetError,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        self.failures = self.failures.saturating_add(1);
        self.hold = match error.kind {
            // A server that keeps asking for no wait at all would be asked without a pause.
            NetErrorKind::Limited(0) if self.failures > 1 => Hold::Backoff(retry_at(cx.now, self.failures)),
            NetErrorKind::Limited(secs) => Hold::Until(retry_after(cx.now, secs)),
            // The first late answer taught us the server's clock; the next try is on time.
            NetErrorKind::Late if self.failures == 1 => Hold::Free,
            _ => Hold::Backoff(retry_at(cx.now, self.failures)),
        };
        // Whoever asked may be gone, but "offline" must end by itself once the network is back.
        self.refresh_due = self.refresh_due.min(cx.now.boot);
        let last = Some(Error::Net(error.clone()));
        if self.last != last {
            out.notify(Notice::RefreshFailed(error.clone()));
        }
        self.last = last;
        vec![RotationOutcome::Failed(Error::Net(error))]
    }

    /// Where the answer has no new refresh token, the old one stays (RFC 6749 section 6), and with it its expiry; it
    /// is good for more than one use then. `asked` is when it was asked for, in unix seconds.
    fn complete(&self, tokens: TokenResponse, asked: u64) -> TokenResponse {
        let stays = tokens.refresh.is_none();
        let same = stays || tokens.refresh == self.session.refresh;
        let expires = |at: u64| i64::try_from(at.saturating_sub(asked)).unwrap_or(i64::MAX);
        TokenResponse {
            refresh: tokens.refresh.or_else(|| self.session.refresh.clone()),
            refresh_expires_in: tokens
                .refresh_expires_in
                .or_else(|| self.session.refresh_expires_at.filter(|_| stays).map(expires)),
            capability: if same { Capability::Reusable } else { tokens.capability },
            ..tokens
        }
    }

    /// N31: an answer counts only for the same user and session, as far as both tokens say.
    fn is_for_this_session(&self, tokens: &TokenResponse) -> bool {
        let agrees = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) | (_, None) => true,
        };
        let known = self.session.holder.user.as_ref().map(|user| &user.id);
        let claims = &self.session.claims;
        let user = tokens.user.as_ref().is_none_or(|user| known.is_none_or(|known| *known == user.id));
        let subject =
            tokens.claims.subject.as_ref().is_none_or(|subject| known.is_none_or(|known| known == subject))
                || agrees(&claims.subject, &tokens.claims.subject) && claims.subject.is_some();
        user && subject && agrees(&claims.session_id, &tokens.claims.session_id)
    }
}
