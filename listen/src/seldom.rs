//! What others can cause as often as they like is put on a log once a minute at most, with how often it happened.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing more is said.
const PAUSE: Duration = Duration::from_secs(60);

/// One thing that happens.
#[derive(Debug)]
pub struct Seldom(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    said: Option<Instant>,
    times: u64,
}

impl Seldom {
    /// Nothing has happened yet.
    #[allow(clippy::new_without_default)] // it stands in statics
    pub const fn new() -> Self {
        Self(Mutex::new(Counted { said: None, times: 0 }))
    }

    /// It has happened: how often since it was said last, if it is to be said now.
    pub fn happened(&self) -> Option<u64> {
        self.happened_at(Instant::now())
    }

    fn happened_at(&self, now: Instant) -> Option<u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.times += 1;
        if counted.said.is_some_and(|said| now.saturating_duration_since(said) < PAUSE) {
            return None;
        }
        counted.said = Some(now);
        Some(std::mem::take(&mut counted.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_with_its_count() {
        let (flood, begun) = (Seldom::new(), Instant::now());
        assert_eq!(flood.happened_at(begun), Some(1), "the first is said at once");
        for ms in 0..59_000 {
            assert_eq!(flood.happened_at(begun + Duration::from_millis(ms)), None);
        }
        assert_eq!(flood.happened_at(begun + PAUSE), Some(59_001), "none is forgotten");
        assert_eq!(flood.happened_at(begun + PAUSE), None);
    }
}
