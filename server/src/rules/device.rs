//! Device grants (RFC 8628): what a poll is answered, and whether a grant may still be approved or denied.

use std::time::Duration;

use crate::time::Timestamp;

/// What a client that polls too early has to wait more from then on (RFC 8628 section 3.5).
pub const SLOW_DOWN: Duration = Duration::from_secs(5);

/// How much too early a poll may come: timers are not that exact.
const LEEWAY: Duration = Duration::from_millis(250);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    Client {
        id: String,
        /// What it calls itself. Anyone may register under any name.
        name: String,
        /// What it asks for: words separated by single spaces.
        scope: String,
    },
    /// The achilles CLI.
    Achilles,
}

impl Asker {
    /// What people are shown as its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Client { id: _, name, scope: _ } => name,
            Self::Achilles => "achilles CLI",
        }
    }

    /// How long it is told to wait between two polls.
    pub fn interval(&self) -> Duration {
        match self {
            Self::Client { .. } => Duration::from_secs(5),
            Self::Achilles => Duration::from_secs(2),
        }
    }

    /// Whether polling too early is answered with `slow_down`. achilles' contract has no such answer.
    fn is_slowed_down(&self) -> bool {
        match self {
            Self::Client { .. } => true,
            Self::Achilles => false,
        }
    }
}

/// What has become of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceGrantState {
    Pending,
    /// A user approved it; its tokens have not been fetched.
    Approved {
        user: String,
    },
    Denied {
        user: String,
    },
    Redeemed {
        /// The id of the user who had approved it.
        user: String,
    },
}

/// How a grant is polled.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub polled_at: Option<Timestamp>,
    /// The least time between two polls.
    pub interval: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollAnswer {
    Pending,
    /// As above, and from now on there must be `interval` between two polls.
    SlowDown {
        interval: Duration,
    },
    /// The grant's time is over, whether or not it was approved.
    Expired,
    Denied,
    /// Its tokens were fetched before.
    UsedUp,
    /// Give the tokens out, this once.
    Redeem {
        /// The id of the user who approved it.
        user: String,
    },
}

/// Decides one poll. `now` is taken after the lock.
pub fn poll(
    asker: &Asker,
    state: &DeviceGrantState,
    pace: Pace,
    expires_at: Timestamp,
    now: Timestamp,
) -> PollAnswer {
    match state {
        DeviceGrantState::Redeemed { .. } => PollAnswer::UsedUp,
        DeviceGrantState::Pending | DeviceGrantState::Approved { .. } | DeviceGrantState::Denied { .. }
            if now >= expires_at =>
        {
            PollAnswer::Expired
        }
        DeviceGrantState::Denied { .. } => PollAnswer::Denied,
        DeviceGrantState::Approved { user } => PollAnswer::Redeem { user: user.clone() },
        DeviceGrantState::Pending if asker.is_slowed_down() && is_early(pace, now) => {
            PollAnswer::SlowDown { interval: pace.interval.saturating_add(SLOW_DOWN) }
        }
        DeviceGrantState::Pending => PollAnswer::Pending,
    }
}

fn is_early(pace: Pace, now: Timestamp) -> bool {
    pace.polled_at.is_some_and(|at| now < at.plus(pace.interval.saturating_sub(LEEWAY)))
}

/// What a person says to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceDecision {
    Approve,
    Deny,
}

/// Whether a verdict counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionRuling {
    /// It does: write it down.
    Counts,
    /// The same person has said the same before.
    SaidBefore,
    /// It has been decided otherwise, or by someone else.
    Decided,
    /// The grant's time is over.
    Expired,
}

/// Decides whether a verdict of `user` counts. The first one does, and no later one changes it.
pub fn rule(
    state: &DeviceGrantState,
    user: &str,
    verdict: DeviceDecision,
    expires_at: Timestamp,
    now: Timestamp,
) -> DecisionRuling {
    match (state, verdict) {
        (
            DeviceGrantState::Approved { user: by } | DeviceGrantState::Redeemed { user: by },
            DeviceDecision::Approve,
        )
        | (DeviceGrantState::Denied { user: by }, DeviceDecision::Deny)
            if by == user =>
        {
            DecisionRuling::SaidBefore
        }
        (
            DeviceGrantState::Approved { .. }
            | DeviceGrantState::Redeemed { .. }
            | DeviceGrantState::Denied { .. },
            _,
        ) => DecisionRuling::Decided,
        (DeviceGrantState::Pending, _) if now >= expires_at => DecisionRuling::Expired,
        (DeviceGrantState::Pending, DeviceDecision::Approve | DeviceDecision::Deny) => DecisionRuling::Counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);
    const LATER: Timestamp = Timestamp::from_secs(1_001);

    fn client() -> Asker {
        Asker::Client { id: "c".into(), name: "tool".into(), scope: "email".into() }
    }

    fn states() -> [DeviceGrantState; 4] {
        let user = || "ada".to_owned();
        [
            DeviceGrantState::Pending,
            DeviceGrantState::Approved { user: user() },
            DeviceGrantState::Denied { user: user() },
            DeviceGrantState::Redeemed { user: user() },
        ]
    }

    const UNHURRIED: Pace = Pace { polled_at: None, interval: Duration::from_secs(5) };

    #[test]
    fn each_state_has_its_answer() {
        let [pending, approved, denied, redeemed] = states();
        let ask = |state: &DeviceGrantState| poll(&client(), state, UNHURRIED, LATER, NOW);
        assert_eq!(ask(&pending), PollAnswer::Pending);
        assert_eq!(ask(&approved), PollAnswer::Redeem { user: "ada".into() });
        assert_eq!(ask(&denied), PollAnswer::Denied);
        assert_eq!(ask(&redeemed), PollAnswer::UsedUp);
    }

    #[test]
    fn an_approval_does_not_outlive_its_code() {
        let [pending, approved, denied, redeemed] = states();
        for state in [&pending, &approved, &denied] {
            assert_eq!(poll(&client(), state, UNHURRIED, NOW, NOW), PollAnswer::Expired);
        }
        assert_eq!(poll(&client(), &redeemed, UNHURRIED, NOW, NOW), PollAnswer::UsedUp);
    }

    #[test]
    fn who_polls_too_early_waits_five_seconds_more() {
        let after = |millis: i64, interval: u64| {
            let interval = Duration::from_secs(interval);
            let polled_at = Some(Timestamp::from_millis(NOW.millis() - millis));
            poll(&client(), &DeviceGrantState::Pending, Pace { polled_at, interval }, LATER, NOW)
        };
        assert_eq!(after(5_000, 5), PollAnswer::Pending);
        assert_eq!(after(4_750, 5), PollAnswer::Pending);
        assert_eq!(after(4_749, 5), PollAnswer::SlowDown { interval: Duration::from_secs(10) });
        assert_eq!(after(9_749, 10), PollAnswer::SlowDown { interval: Duration::from_secs(15) });
        assert_eq!(after(10_000, 10), PollAnswer::Pending);
    }

    #[test]
    fn early_polls_get_approved_grants_and_achilles_no_slow_down() {
        let hurried = Pace { polled_at: Some(NOW), interval: Duration::from_secs(5) };
        let approved = DeviceGrantState::Approved { user: "ada".into() };
        assert_eq!(
            poll(&client(), &approved, hurried, LATER, NOW),
            PollAnswer::Redeem { user: "ada".into() }
        );
        assert_eq!(
            poll(&Asker::Achilles, &DeviceGrantState::Pending, hurried, LATER, NOW),
            PollAnswer::Pending
        );
    }

    #[test]
    fn the_first_verdict_counts_and_stays() {
        let [pending, approved, denied, redeemed] = states();
        use DeviceDecision::{Approve, Deny};
        for (state, user, verdict, ruling) in [
            (&pending, "ada", Approve, DecisionRuling::Counts),
            (&pending, "bob", Deny, DecisionRuling::Counts),
            (&approved, "ada", Approve, DecisionRuling::SaidBefore),
            (&redeemed, "ada", Approve, DecisionRuling::SaidBefore),
            (&denied, "ada", Deny, DecisionRuling::SaidBefore),
            (&approved, "bob", Approve, DecisionRuling::Decided),
            (&approved, "ada", Deny, DecisionRuling::Decided),
            (&denied, "ada", Approve, DecisionRuling::Decided),
            (&redeemed, "ada", Deny, DecisionRuling::Decided),
        ] {
            assert_eq!(rule(state, user, verdict, LATER, NOW), ruling, "{state:?} {user} {verdict:?}");
        }
        assert_eq!(rule(&pending, "ada", Approve, NOW, NOW), DecisionRuling::Expired);
    }
}
