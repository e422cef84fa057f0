//! Sliding-window limits: at most so many events in so long a time.

use std::time::Duration;

use crate::time::Timestamp;

/// At most `max` events (at least one) within any `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many events fit in the window.
    pub max: u32,
    /// How long an event counts.
    pub window: Duration,
}

impl Limit {
    /// As many as that times `factor` in the same window.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self { max: self.max.saturating_mul(factor), ..self }
    }

    /// Half as many, rounded up.
    #[must_use]
    pub fn half(self) -> Self {
        Self { max: self.max.div_ceil(2), ..self }
    }
}

/// Whether one more event fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// One more fits.
    Open,
    /// None fits until this much time has passed.
    Full {
        /// How long until the next one fits.
        retry_after: Duration,
    },
}

/// Decides by one fact: when the `limit.max`-th newest event was, if there were that many. While it
/// is inside the window the window is full, and it is the one whose leaving makes room.
pub fn check(limit: Limit, max_th_newest: Option<Timestamp>, now: Timestamp) -> Rate {
    match max_th_newest {
        None => Rate::Open,
        Some(at) => wait_until(at.plus(limit.window), now),
    }
}

/// Decides a pause between two events: the last one and the next.
pub fn cool_down(pause: Duration, last: Option<Timestamp>, now: Timestamp) -> Rate {
    match last {
        None => Rate::Open,
        Some(at) => wait_until(at.plus(pause), now),
    }
}

impl Rate {
    /// The stricter of two: both have to be open, and the longer wait is the honest one.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, Self::Open) => Self::Open,
            (Self::Full { retry_after }, Self::Open) | (Self::Open, Self::Full { retry_after }) => {
                Self::Full { retry_after }
            }
            (Self::Full { retry_after: one }, Self::Full { retry_after: two }) => {
                Self::Full { retry_after: one.max(two) }
            }
        }
    }
}

fn wait_until(free: Timestamp, now: Timestamp) -> Rate {
    if free > now { Rate::Full { retry_after: free.since(now) } } else { Rate::Open }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { max: 5, window: Duration::from_secs(900) };

    #[test]
    fn a_window_opens_when_its_oldest_event_leaves() {
        let at = Timestamp::from_secs(1000);
        assert_eq!(check(LIMIT, None, at), Rate::Open);
        assert_eq!(
            check(LIMIT, Some(at), Timestamp::from_secs(1899)),
            Rate::Full { retry_after: Duration::from_secs(1) }
        );
        assert_eq!(check(LIMIT, Some(at), Timestamp::from_secs(1900)), Rate::Open);
    }

    #[test]
    fn of_two_limits_the_longer_wait_is_told() {
        let full = |secs| Rate::Full { retry_after: Duration::from_secs(secs) };
        assert_eq!(Rate::Open.and(Rate::Open), Rate::Open);
        assert_eq!(full(3).and(Rate::Open), full(3));
        assert_eq!(Rate::Open.and(full(3)), full(3));
        assert_eq!(full(3).and(full(7)), full(7));
    }
}
