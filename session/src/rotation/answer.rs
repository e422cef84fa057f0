//! S4: what comes back, whether it counts, and when to try again.

use crate::answer_flaw::AnswerFlaw;
use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::error::{EndReason, Error, NetError, NetErrorKind};
use crate::input::Op;
use crate::jobs::{FileContent, ProbeAnswer, RefreshAnswer, StoreJob};
use crate::journal::Capability;
use crate::notice::Notice;
use crate::policy::{retry_after, retry_at, slow_retry_at};
use crate::rotation::machine::{Hold, Rotation, RotationOutcome};
use crate::rotation::state::{ArrivedSession, Doubt, Refusal, RotationAttempt, RotationState};
use crate::time::Boot;
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
        let (doubt, error) = match answer {
            RefreshAnswer::Granted(tokens) if self.is_for_this_session(&tokens) => {
                return self.granted(cx, asked, doubt, tokens, out);
            }
            RefreshAnswer::Granted(_) | RefreshAnswer::Foreign => {
                out.notify(Notice::Alarm);
                let error = NetError { server, kind: NetErrorKind::OtherSession };
                (Doubt { doubtful: true, ..doubt }, error)
            }
            RefreshAnswer::Refused => {
                let (why, shows) = self.judge_refusal(cx, &doubt);
                self.confirm_refusal(Refusal { why, said: None }, out);
                return shows.map(|rule| RotationOutcome::Learnt(server, rule)).into_iter().collect();
            }
            // A server that keeps RR-1 has exact words, so these are somebody else's.
            RefreshAnswer::RefusedInWords(error)
                if matches!(doubt.intent.capability, Capability::Rr1 | Capability::Probe) =>
            {
                (Doubt { doubtful: true, ..doubt }, error)
            }
            RefreshAnswer::RefusedInWords(error) => {
                self.confirm_refusal(Refusal { why: EndReason::RefusedInWords, said: Some(error) }, out);
                return Vec::new();
            }
            RefreshAnswer::Rotating => {
                let since = doubt.rotating_since.or(Some(cx.now.boot));
                let error = NetError { server, kind: NetErrorKind::Rotating };
                (Doubt { rotating_since: since, ..doubt }, error)
            }
            RefreshAnswer::Late => (doubt, NetError { server, kind: NetErrorKind::Late }),
            RefreshAnswer::Declined(error) => (doubt, error),
            RefreshAnswer::Unclear(error) => {
                let cut = error.kind == NetErrorKind::Cut && doubt.intent.sends == 1;
                (Doubt { doubtful: true, cut: doubt.cut || cut, ..doubt }, error)
            }
        };
        self.state = RotationState::InDoubt(doubt);
        self.try_again(cx, error, out)
    }

    fn granted(
        &mut self,
        cx: &MachineContext,
        asked: Boot,
        doubt: Doubt,
        tokens: TokenResponse,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let stays = tokens.refresh.is_none() || tokens.refresh == self.session.refresh;
        let shows = self.judge_grant(cx, &doubt, asked).filter(|_| !stays);
        let learnt = shows.map(|rule| RotationOutcome::Learnt(doubt.intent.server.clone(), rule));
        // Where the refresh token stays, each access token is a new one.
        let age_ms = if stays { 0 } else { self.age_ms(cx, &doubt, asked) };
        let tokens = self.complete(tokens, cx.now.wall_at(asked));
        let holder = self.session.holder.clone();
        let arrived = ArrivedSession::granted(cx.now, asked, tokens, holder).aged(cx.now, age_ms);
        self.store_successor(false, doubt.intent, arrived, out);
        learnt.into_iter().collect()
    }

    /// Before a refusal is believed, the file is read again.
    pub(super) fn confirm_refusal(&mut self, refusal: Refusal, out: &mut Outbox) {
        self.state = RotationState::Refused(Some(out.store(StoreJob::ReadSession)), refusal);
    }

    /// The refusal counts only for the session that the file still holds.
    pub(super) fn read_after_refusal(
        &mut self,
        cx: &MachineContext,
        refusal: Refusal,
        found: FileContent,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        match found {
            FileContent::Session { session, .. } if session.fingerprint() == self.fingerprint() => {
                return self.end(cx, refusal.why, refusal.said);
            }
            // Whatever took its place: the token was sent, and whoever leaves it must know.
            FileContent::Session { .. } | FileContent::Missing => {}
            FileContent::Damaged(_) => self.hold = Hold::Backoff(retry_at(cx.now, 1)),
            FileContent::Unusable(why) => {
                self.state = RotationState::Refused(None, refusal);
                return self.store_failed(cx, why, out);
            }
        }
        self.state = RotationState::Refused(None, refusal);
        vec![RotationOutcome::Observed(found)]
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
                ProbeAnswer::Generation(theirs) if theirs > ours => self.end(cx, EndReason::Copied, None),
                ProbeAnswer::Unclear(error) => self.try_again(cx, error, out),
                ProbeAnswer::Generation(_) | ProbeAnswer::Refused | ProbeAnswer::NoRoute => {
                    self.vetted = true;
                    self.connect(cx, None, out);
                    Vec::new()
                }
            },
            RotationState::CheckingDoubt(mine, doubt) if mine == op => match probe {
                ProbeAnswer::Generation(theirs) if theirs > ours => {
                    self.end(cx, EndReason::SessionLost, None)
                }
                ProbeAnswer::Generation(_) => {
                    self.begin(cx, Some(Doubt { doubtful: false, ..doubt }), out);
                    Vec::new()
                }
                ProbeAnswer::Refused | ProbeAnswer::NoRoute if self.left_ms(cx.now) == 0 => {
                    self.end(cx, EndReason::AnswerLost, None)
                }
                ProbeAnswer::Unclear(error) => {
                    self.state = RotationState::InDoubt(doubt);
                    self.try_again(cx, error, out)
                }
                ProbeAnswer::Refused | ProbeAnswer::NoRoute => {
                    self.state = RotationState::InDoubt(doubt);
                    let server = cx.server_of(&self.session).to_owned();
                    self.try_again(cx, NetError { server, kind: AnswerFlaw::OffTopic.into() }, out)
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
            // Somebody has to change something first.
            NetErrorKind::ClientRefused(_) => Hold::Backoff(slow_retry_at(cx.now, self.failures)),
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
