//! May a guess at a login code be compared? A code is single-use, expires, and dies after 5 wrong guesses.
//! The caller commits the guess before it compares, so parallel guesses can't share a count.

use crate::rules::rate::{self, Limit, Rate};
use crate::time::Timestamp;

/// The newest code of an email, as stored.
#[derive(Clone, Copy, Debug)]
pub struct CodeFacts {
    pub expires_at: Timestamp,
    /// Guesses already made at it.
    pub guesses: u32,
    /// Whether it has signed someone in.
    pub used: bool,
}

/// What to do with a guess. Every guess that is not `Limited` counts as a failure until it proves right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessDecision {
    /// Count it, then compare.
    Compare,
    /// Count it and refuse: there is no code, or it is dead.
    Dead,
    /// Too many failures for this email today; wait.
    Limited {
        /// How long until a guess is accepted again.
        retry_after: std::time::Duration,
    },
}

/// How often may be guessed.
#[derive(Clone, Copy, Debug)]
pub struct GuessLimits {
    /// Guesses after which a code is dead.
    pub per_code: u32,
    /// Wrong or dead guesses at one email's codes.
    pub failures_per_email: Limit,
}

/// Decides about one guess. `nth_failure` is the `failures_per_email.max`-th newest failure for the email.
pub fn decide(
    limits: GuessLimits,
    code: Option<CodeFacts>,
    nth_failure: Option<Timestamp>,
    now: Timestamp,
) -> GuessDecision {
    if let Rate::Full { retry_after } = rate::check(limits.failures_per_email, nth_failure, now) {
        return GuessDecision::Limited { retry_after };
    }
    match code {
        Some(code) if !code.used && code.guesses < limits.per_code && now < code.expires_at => {
            GuessDecision::Compare
        }
        Some(_) | None => GuessDecision::Dead,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: GuessLimits = GuessLimits {
        per_code: 5,
        failures_per_email: Limit { max: 50, window: Duration::from_secs(86_400) },
    };
    const NOW: Timestamp = Timestamp::from_secs(100_000);
    const FRESH: CodeFacts = CodeFacts { expires_at: Timestamp::from_secs(100_001), guesses: 0, used: false };

    fn with(code: CodeFacts) -> GuessDecision {
        decide(LIMITS, Some(code), None, NOW)
    }

    #[test]
    fn a_live_code_is_compared_up_to_its_fifth_guess() {
        assert_eq!(with(FRESH), GuessDecision::Compare);
        assert_eq!(with(CodeFacts { guesses: 4, ..FRESH }), GuessDecision::Compare);
        assert_eq!(with(CodeFacts { guesses: 5, ..FRESH }), GuessDecision::Dead);
    }

    #[test]
    fn used_expired_and_missing_codes_are_dead() {
        assert_eq!(with(CodeFacts { used: true, ..FRESH }), GuessDecision::Dead);
        assert_eq!(with(CodeFacts { expires_at: NOW, ..FRESH }), GuessDecision::Dead);
        assert_eq!(decide(LIMITS, None, None, NOW), GuessDecision::Dead);
    }

    #[test]
    fn fifty_failures_a_day_stop_even_a_live_code() {
        let fiftieth = Some(NOW.minus(Duration::from_secs(86_399)));
        let limited = GuessDecision::Limited { retry_after: Duration::from_secs(1) };
        assert_eq!(decide(LIMITS, Some(FRESH), fiftieth, NOW), limited);
        assert_eq!(decide(LIMITS, None, fiftieth, NOW), limited);
    }
}
