//! When a reminder fires: in a number of days, or at a moment, within the next 365 days; and how long its letter is tried.

use std::time::Duration;

use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
const MOST_DAYS: i64 = 365;

/// Why a reminder can't be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Neither field was given.
    #[error("give in_days or at")]
    Missing,
    /// `in_days` is out of range.
    #[error("in_days must be a whole number from 1 to 365")]
    Days,
    /// `at` is not in the future.
    #[error("at must be in the future")]
    Past,
    /// `at` is too far away.
    #[error("at must be at most 365 days ahead")]
    TooFar,
}

/// The moment to fire. `at` (unix seconds) wins where both are given, as in failproofai.
pub fn fire_at(in_days: Option<i64>, at: Option<i64>, now: Timestamp) -> Result<Timestamp, Invalid> {
    match (at, in_days) {
        (Some(at), _) => {
            let at = Timestamp::from_secs(at);
            if at <= now {
                Err(Invalid::Past)
            } else if at > now.plus(DAY * 365) {
                Err(Invalid::TooFar)
            } else {
                Ok(at)
            }
        }
        (None, Some(days @ 1..=MOST_DAYS)) => Ok(Timestamp::from_secs(now.secs() + days * 86_400)),
        (None, Some(_)) => Err(Invalid::Days),
        (None, None) => Err(Invalid::Missing),
    }
}

/// Pauses between the tries at a letter: about a day in all.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(8 * 3600),
    Duration::from_secs(8 * 3600),
];

/// How long to wait after this many tries at a letter that all failed; `None`: it is given up.
pub fn pause_after(tries: i64) -> Option<Duration> {
    let nth = usize::try_from(tries).unwrap_or(0);
    PAUSES.get(nth.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn days_run_from_1_to_365() {
        assert_eq!(fire_at(Some(7), None, NOW), Ok(Timestamp::from_secs(1_000_000 + 7 * 86_400)));
        for days in [0, -1, 366, i64::MAX, i64::MIN] {
            assert_eq!(fire_at(Some(days), None, NOW), Err(Invalid::Days));
        }
    }

    #[test]
    fn a_letter_is_tried_for_about_a_day() {
        let pauses: Vec<_> = (1..).map_while(pause_after).collect();
        assert!(pauses.is_sorted(), "{pauses:?}");
        let all: Duration = pauses.iter().sum();
        assert!(all > DAY / 2 && all < DAY, "{all:?}");
        assert_eq!(pause_after(0), pause_after(1));
        assert_eq!(pause_after(i64::MAX), None);
    }

    #[test]
    fn a_moment_wins_and_must_lie_within_a_year() {
        assert_eq!(fire_at(Some(7), Some(1_000_001), NOW), Ok(Timestamp::from_secs(1_000_001)));
        assert_eq!(fire_at(None, Some(1_000_000), NOW), Err(Invalid::Past));
        assert_eq!(fire_at(None, Some(i64::MIN), NOW), Err(Invalid::Past));
        assert_eq!(fire_at(None, Some(1_000_000 + 365 * 86_400 + 1), NOW), Err(Invalid::TooFar));
        assert_eq!(fire_at(None, Some(i64::MAX), NOW), Err(Invalid::TooFar));
        assert_eq!(fire_at(None, None, NOW), Err(Invalid::Missing));
    }
}
