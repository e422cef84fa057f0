//! What a refresh may do: failproofai's replay rule and RR-1 (docs/rotation.md, "Decision").

use std::time::Duration;

use crate::digest::Digest;
use crate::rules::rate::Rate;
use crate::rules::session_kind::SessionKind;
use crate::time::Timestamp;

/// The furthest ahead a request's deadline may lie, by the server's clock.
pub const LONGEST_DEADLINE: Duration = Duration::from_secs(30);

/// How long after a consumption another key counts as a race, not as theft.
pub const RACE: Duration = Duration::from_secs(10);

/// Whether an answer may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    /// RR-1: repeatable with the same key until the successor is used.
    Rr1,
    /// Never: every second use is a replay.
    Strict,
}

/// What a replay means to the holder of a kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// Someone else may hold the token: every session of the user ends.
    Theft,
    /// Nothing, as long as no key tells two parties apart: it is refused, and the winner's token stays good. Its tools are
    /// known to send a token twice.
    Refused,
}

impl ReplayVerdict {
    /// What a replay of a token of this grant means.
    pub fn of(grant: &SessionKind) -> Self {
        match grant {
            SessionKind::FirstParty | SessionKind::Web | SessionKind::OAuth { .. } => Self::Theft,
            SessionKind::Cli { .. } => Self::Refused,
        }
    }

    fn decision(self) -> RefreshDecision {
        match self {
            Self::Theft => RefreshDecision::RevokeAll,
            Self::Refused => RefreshDecision::Decline(Decline::InvalidGrant),
        }
    }

    /// The same where two keys show that there are two parties.
    fn of_two_keys(self) -> RefreshDecision {
        match self {
            Self::Theft => RefreshDecision::RevokeAll,
            Self::Refused => RefreshDecision::RevokeFamily,
        }
    }
}

/// What the request brought besides its token.
#[derive(Clone, Copy, Debug)]
pub struct RefreshAttempt {
    /// The hash of its idempotency key, if it has one.
    pub key: Option<Digest>,
    /// The moment after which it must not be carried out.
    pub deadline: Option<Timestamp>,
}

/// What the database knows about the token, read under the lock.
#[derive(Clone, Copy, Debug)]
pub enum PresentedToken {
    /// Its session has ended: by an alarm, because the account is disabled, or before the token was used.
    Ended,
    /// Used before, and then its session was signed out.
    SignedOut {
        /// The hash of the idempotency key that consumed it.
        key: Option<Digest>,
    },
    /// Never used.
    Fresh {
        expires_at: Timestamp,
        /// Whether the session may rotate again already.
        rate: Rate,
    },
    /// Used before.
    Spent {
        at: Timestamp,
        /// The hash of the idempotency key that consumed it.
        key: Option<Digest>,
        /// What has become of the token that replaced it.
        successor: Successor,
    },
}

/// What has become of a successor.
#[derive(Clone, Copy, Debug)]
pub enum Successor {
    /// Neither it nor an access token of its generation or later has been seen.
    Unused { expires_at: Timestamp },
    /// It has been seen, so its answer arrived.
    Used,
}

/// What to do with a token of a known session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshDecision {
    /// Consume the token and issue its successor.
    Rotate,
    /// Issue the same successor again; nothing is consumed.
    Repeat,
    /// A replay: revoke every session of the user.
    RevokeAll,
    /// Somebody else has long had the successor and does nothing with it, or signed out with it: revoke this session.
    RevokeFamily,
    /// Change nothing.
    Decline(Decline),
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// The token can't be used, now or ever.
    InvalidGrant,
    /// 409: another request with this token is or was just under way.
    InProgress,
    /// 409: the deadline is over, or lies too far ahead to mean anything.
    DeadlineMissed,
    /// 429.
    Limited { retry_after: Duration },
}

impl Decline {
    /// The word for it in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidGrant => "invalid_grant",
            Self::InProgress => "rotation_in_progress",
            Self::DeadlineMissed => "deadline_passed",
            Self::Limited { retry_after: _ } => "rate_limited",
        }
    }
}

/// What a second use of a token leads to.
#[derive(Clone, Copy, Debug)]
pub struct ReplayPolicy {
    pub mode: RetryMode,
    pub verdict: ReplayVerdict,
    /// How long after a consumption another key waits for the successor to be used; later it raises the alarm.
    pub patience: Duration,
}

/// Decides one refresh. `now` is taken after the lock.
pub fn decide(
    policy: ReplayPolicy,
    token: PresentedToken,
    attempt: RefreshAttempt,
    now: Timestamp,
) -> RefreshDecision {
    if !in_time(attempt.deadline, now) {
        return RefreshDecision::Decline(Decline::DeadlineMissed);
    }
    match token {
        PresentedToken::Ended => RefreshDecision::Decline(Decline::InvalidGrant),
        PresentedToken::SignedOut { key } => after_sign_out(policy, key, attempt.key),
        PresentedToken::Fresh { expires_at, rate: _ } if now >= expires_at => {
            RefreshDecision::Decline(Decline::InvalidGrant)
        }
        PresentedToken::Fresh { rate: Rate::Full { retry_after }, .. } => {
            RefreshDecision::Decline(Decline::Limited { retry_after })
        }
        PresentedToken::Fresh { rate: Rate::Open, .. } => RefreshDecision::Rotate,
        PresentedToken::Spent { at, key, successor } => match policy.mode {
            RetryMode::Strict if key != attempt.key => policy.verdict.of_two_keys(),
            RetryMode::Strict => policy.verdict.decision(),
            RetryMode::Rr1 => second_use(policy, at, key, successor, attempt.key, now),
        },
    }
}

/// Decides one refresh with a token that is not known.
pub fn decide_unknown(attempt: RefreshAttempt, now: Timestamp) -> Decline {
    if in_time(attempt.deadline, now) { Decline::InvalidGrant } else { Decline::DeadlineMissed }
}

/// A thief who signs out is noticed all the same. A late copy of the request that consumed the token is nobody else's.
fn after_sign_out(
    policy: ReplayPolicy,
    consumed_with: Option<Digest>,
    offered: Option<Digest>,
) -> RefreshDecision {
    match (consumed_with, offered, policy.verdict) {
        (Some(first), Some(second), _) if first == second => RefreshDecision::Decline(Decline::InvalidGrant),
        (None, None, ReplayVerdict::Refused) => RefreshDecision::Decline(Decline::InvalidGrant),
        (Some(_), _, _) | (None, Some(_), _) | (None, None, ReplayVerdict::Theft) => {
            RefreshDecision::RevokeFamily
        }
    }
}

fn second_use(
    policy: ReplayPolicy,
    consumed_at: Timestamp,
    consumed_with: Option<Digest>,
    successor: Successor,
    offered: Option<Digest>,
    now: Timestamp,
) -> RefreshDecision {
    match (consumed_with, offered) {
        (None, None) => policy.verdict.decision(),
        (Some(first), Some(second)) if first == second => match successor {
            Successor::Unused { expires_at } if now < expires_at => RefreshDecision::Repeat,
            Successor::Unused { .. } | Successor::Used => RefreshDecision::Decline(Decline::InvalidGrant),
        },
        (Some(_), Some(_)) | (Some(_), None) | (None, Some(_)) => match successor {
            Successor::Unused { .. } if now < consumed_at.plus(policy.patience.max(RACE)) => {
                RefreshDecision::Decline(Decline::InProgress)
            }
            // Whoever holds the key that consumed it has had every chance to use the successor, or to fetch it again.
            Successor::Unused { .. } => RefreshDecision::RevokeFamily,
            Successor::Used if now < consumed_at.plus(RACE) => RefreshDecision::Decline(Decline::InProgress),
            Successor::Used => policy.verdict.of_two_keys(),
        },
    }
}

fn in_time(deadline: Option<Timestamp>, now: Timestamp) -> bool {
    match deadline {
        None => true,
        Some(deadline) => now <= deadline && deadline <= now.plus(LONGEST_DEADLINE),
    }
}

#[cfg(test)]
mod tests;
