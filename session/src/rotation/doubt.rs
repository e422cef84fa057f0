//! What may follow a send whose outcome is not known (I3): it depends on what the server does with a token that comes
//! twice. Where a repeat may cost the session, it waits until nothing is left to lose.

use crate::context::MachineContext;
use crate::effect::Outbox;
use crate::endings::EndingReason;
use crate::error::{DoubtOutlook, EndReason, Error};
use crate::jobs::{NetJob, SendTerms};
use crate::journal::{Begun, Capability, Intent};
use crate::notice::Notice;
use crate::registration::CallTarget;
use crate::replay::LEARNT_FROM_REFUSAL;
use crate::rotation::machine::{Hold, Rotation, RotationOutcome};
use crate::rotation::state::{Doubt, RotationState};
use crate::time::Boot;
use everkey_proto::ReplayRule;
use everkey_proto::reply::{Replay, ReplaySource};

/// How long before the access token ends a token in doubt is sent again, in milliseconds: with less left, hardly
/// anything is lost if the server takes it for theft.
const NOTHING_TO_LOSE_MS: u64 = 30_000;

/// How long `rotation_in_progress` is believed, in milliseconds.
const ROTATING_MS: u64 = 60_000;

/// How long an answer to a refresh may take, in milliseconds.
const PATIENCE_MS: u64 = 10_000;

/// How much of a grace is left unused, in milliseconds: the server's clock may run faster.
const GRACE_MARGIN_MS: u64 = 2_000;

/// What comes next.
enum Step {
    Repeat,
    /// Nothing until then; it can't be had earlier.
    Wait(Boot),
    /// Nothing until then, unless the access token turns out to be of no use.
    KeepSilent(Boot),
    Probe,
    GiveUp,
}

impl Rotation {
    /// Takes the next step of an open intent: send again, ask the server, wait, or give up.
    pub(super) fn resolve(
        &mut self,
        cx: &MachineContext,
        doubt: Doubt,
        out: &mut Outbox,
    ) -> Vec<RotationOutcome> {
        let now = cx.now.boot;
        if doubt.rotating_since.is_some_and(|since| since.ms_until(now) >= ROTATING_MS) {
            return self.end_contested(cx);
        }
        match self.next_step(cx, &doubt) {
            Step::Repeat => self.begin(cx, Some(doubt), out),
            Step::Wait(until) => {
                self.hold = Hold::Until(until);
                self.state = RotationState::InDoubt(doubt);
            }
            Step::KeepSilent(until) => {
                let by = self.session.access_ends();
                out.notify(Notice::SignInAhead { by, why: EndingReason::InDoubt });
                self.hold = Hold::Silence(until);
                self.state = RotationState::InDoubt(doubt);
            }
            Step::Probe => {
                let at = CallTarget { server: doubt.intent.server.clone(), ..cx.target_of(&self.session) };
                let op = out.net(NetJob::Probe { at, access: self.session.access.clone() });
                self.state = RotationState::CheckingDoubt(op, doubt);
            }
            Step::GiveUp => return self.end(cx, EndReason::AnswerLost, None),
        }
        Vec::new()
    }

    /// Whether a token whose outcome may be in doubt may be sent now: connections and disks take their time.
    pub(super) fn may_repeat(&self, cx: &MachineContext, doubt: &Doubt) -> bool {
        // A proof counts for the send that it was asked for.
        !doubt.doubtful || matches!(self.next_step(cx, doubt), Step::Repeat)
    }

    fn next_step(&self, cx: &MachineContext, doubt: &Doubt) -> Step {
        let now = cx.now.boot;
        if !doubt.doubtful {
            return Step::Repeat;
        }
        let can_probe = matches!(doubt.intent.capability, Capability::Rr1 | Capability::Probe);
        match rule_of(cx, &doubt.intent).rule {
            ReplayRule::NotRotated | ReplayRule::OldStays | ReplayRule::UntilUsed => Step::Repeat,
            ReplayRule::Grace(secs) if is_within(cx, &doubt.intent, secs) => Step::Repeat,
            ReplayRule::StrictUser if can_probe && doubt.closed > now => Step::Wait(doubt.closed),
            ReplayRule::StrictUser if can_probe => Step::Probe,
            ReplayRule::StrictUser if self.left_ms(cx.now) > 0 => Step::Wait(self.expires),
            ReplayRule::StrictUser => Step::GiveUp,
            ReplayRule::Grace(_)
            | ReplayRule::StrictReject
            | ReplayRule::StrictFamily
            | ReplayRule::Unknown => {
                if self.left_ms(cx.now) <= NOTHING_TO_LOSE_MS || cx.demand.refused {
                    Step::Repeat
                } else if self.expires == Boot::NEVER {
                    Step::KeepSilent(Boot::NEVER)
                } else {
                    Step::KeepSilent(self.expires.minus_ms(NOTHING_TO_LOSE_MS))
                }
            }
        }
    }

    /// That the outcome of a send is not known, and what becomes of it; none if nothing is in doubt.
    pub fn uncertainty(&self, cx: &MachineContext) -> Option<Error> {
        let doubt = match &self.state {
            RotationState::InDoubt(doubt) if doubt.doubtful => doubt,
            RotationState::CheckingDoubt(_, doubt) => doubt,
            RotationState::InDoubt(_)
            | RotationState::Idle
            | RotationState::Attempt(_)
            | RotationState::Refused(..)
            | RotationState::UnstoredSuccessor(..)
            | RotationState::Ended(_) => return None,
        };
        let outlook = match self.next_step(cx, doubt) {
            Step::Repeat | Step::Probe => DoubtOutlook::SentAgain,
            Step::KeepSilent(_) => DoubtOutlook::SentAtTheEnd,
            Step::Wait(_) if doubt.intent.capability != Capability::None => DoubtOutlook::SentAgain,
            Step::Wait(_) | Step::GiveUp => DoubtOutlook::NeverSent,
        };
        Some(Error::Uncertain(doubt.intent.server.clone(), outlook))
    }

    /// What the server does with the refresh token if it comes twice.
    pub fn replay_rule(&self, cx: &MachineContext) -> Option<Replay> {
        self.session().refresh.as_ref()?;
        Some(cx.replay_rule(cx.server_of(&self.session), cx.capability_of(&self.session)))
    }

    /// Unix seconds at which a sign-in may be needed, if that can be foreseen.
    pub fn sign_in_by(&self, cx: &MachineContext) -> Option<u64> {
        match self.uncertainty(cx)? {
            Error::Uncertain(_, DoubtOutlook::SentAtTheEnd | DoubtOutlook::NeverSent) => {
                self.session.access_ends()
            }
            _ => None,
        }
    }

    /// What holds for the next send.
    pub(super) fn terms(&self, cx: &MachineContext, doubt: &Doubt) -> SendTerms {
        let patience_ms = match rule_of(cx, &doubt.intent).rule {
            ReplayRule::Grace(secs) if doubt.doubtful && is_within(cx, &doubt.intent, secs) => {
                repeat_patience_ms(secs)
            }
            _ => PATIENCE_MS,
        };
        SendTerms { patience_ms, not_processed: cx.policy().replay.not_processed(&doubt.intent.server) }
    }

    /// Why a refusal ends the session, and what it shows about the server.
    pub(super) fn judge_refusal(
        &self,
        cx: &MachineContext,
        doubt: &Doubt,
    ) -> (EndReason, Option<ReplayRule>) {
        let Replay { rule, source, .. } = rule_of(cx, &doubt.intent);
        let (why, shows) = match rule {
            _ if !doubt.doubtful => (EndReason::Refused, false),
            ReplayRule::NotRotated | ReplayRule::OldStays | ReplayRule::UntilUsed => {
                (EndReason::Refused, true)
            }
            ReplayRule::Grace(secs) => (EndReason::RepeatRefused, is_within(cx, &doubt.intent, secs)),
            ReplayRule::Unknown => (EndReason::RepeatRefused, doubt.cut),
            ReplayRule::StrictReject | ReplayRule::StrictFamily | ReplayRule::StrictUser => {
                (EndReason::RepeatRefused, false)
            }
        };
        (why, (shows && can_be_learnt(&source)).then_some(LEARNT_FROM_REFUSAL))
    }

    /// What it shows about the server that a repeat was granted: it bears one so long after a first try that it has
    /// carried out. Of a first try that may have been lost it shows nothing.
    pub(super) fn judge_grant(&self, cx: &MachineContext, doubt: &Doubt, asked: Boot) -> Option<ReplayRule> {
        let Replay { rule, source, .. } = rule_of(cx, &doubt.intent);
        let news = match rule {
            ReplayRule::Unknown
            | ReplayRule::Grace(_)
            | ReplayRule::StrictReject
            | ReplayRule::StrictFamily => doubt.cut && can_be_learnt(&source),
            ReplayRule::NotRotated
            | ReplayRule::OldStays
            | ReplayRule::UntilUsed
            | ReplayRule::StrictUser => false,
        };
        let begun = begun(cx, &doubt.intent).filter(|_| news)?;
        let secs = u32::try_from(begun.ms_until(asked) / 1000).unwrap_or(u32::MAX);
        (secs > 0).then_some(ReplayRule::Grace(secs))
    }

    /// How old the tokens of an answer may be, in milliseconds. A repeat may bring those of the first answer, with the lifetime
    /// that they had when they were new (seen with django-oauth-toolkit).
    pub(super) fn age_ms(&self, cx: &MachineContext, doubt: &Doubt, asked: Boot) -> u64 {
        let may_be_old = match rule_of(cx, &doubt.intent).rule {
            ReplayRule::Grace(_)
            | ReplayRule::StrictReject
            | ReplayRule::StrictFamily
            | ReplayRule::Unknown => doubt.doubtful,
            ReplayRule::NotRotated
            | ReplayRule::OldStays
            | ReplayRule::UntilUsed
            | ReplayRule::StrictUser => false,
        };
        match (begun(cx, &doubt.intent), &doubt.intent.begun) {
            (Some(begun), _) if may_be_old => begun.ms_until(asked),
            // In another run of the machine there is only the wall clock to go by.
            (None, Some(begun)) if may_be_old => cx.now.wall.saturating_sub(begun.wall).saturating_mul(1000),
            _ => 0,
        }
    }
}

fn rule_of(cx: &MachineContext, intent: &Intent) -> Replay {
    cx.replay_rule(&intent.server, intent.capability)
}

/// What the profile or the server itself says needs no proof, and can't be disproved.
fn can_be_learnt(source: &ReplaySource) -> bool {
    match source {
        ReplaySource::Profile | ReplaySource::Server => false,
        ReplaySource::Table { .. } | ReplaySource::Learnt { .. } | ReplaySource::Nobody => true,
    }
}

/// When the first send of an intent began; none if that was in another run of the machine.
fn begun(cx: &MachineContext, intent: &Intent) -> Option<Boot> {
    let Begun { boot_id, at_ms, wall: _ } = intent.begun.as_ref()?;
    (*boot_id == cx.facts.settings.boot_id).then_some(Boot(*at_ms))
}

/// Whether a repeat sent now is answered while the server's grace of so many seconds surely lasts. It began with the
/// first byte of the first send, at the earliest.
fn is_within(cx: &MachineContext, intent: &Intent, grace_secs: u32) -> bool {
    let ms = u64::from(grace_secs) * 1000;
    let usable = ms.saturating_sub(GRACE_MARGIN_MS + repeat_patience_ms(grace_secs));
    begun(cx, intent).is_some_and(|begun| cx.now.boot <= begun.plus_ms(usable) && usable > 0)
}

/// How long the answer to a repeat within a grace may take: most of a short grace must be left for the repeats.
fn repeat_patience_ms(grace_secs: u32) -> u64 {
    (u64::from(grace_secs) * 1000 / 3).min(PATIENCE_MS)
}
