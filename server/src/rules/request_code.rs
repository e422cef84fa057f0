//! May a login code be sent now? failproofai: 5 per email and 20 per address in 15 minutes, 30 s apart.

use std::time::Duration;

use crate::rules::rate::{self, Limit, Rate};
use crate::time::Timestamp;

/// What the database knows about earlier requests. Nothing in it depends on whether the email has an account.
#[derive(Clone, Copy, Debug)]
pub struct CodeRequestFacts {
    /// The newest request for this email.
    pub last_for_email: Option<Timestamp>,
    /// The `per_email.max`-th newest request for this email.
    pub nth_for_email: Option<Timestamp>,
    /// The `per_ip.max`-th newest request from this network address.
    pub nth_for_ip: Option<Timestamp>,
}

/// How often a code may be asked for.
#[derive(Clone, Copy, Debug)]
pub struct CodeLimits {
    /// The pause between two codes for one email.
    pub cooldown: Duration,
    /// Codes sent to one email.
    pub per_email: Limit,
    /// Codes asked for from one network address.
    pub per_ip: Limit,
}

/// `Open` if a code may be sent, else how long to wait.
pub fn decide(limits: CodeLimits, facts: CodeRequestFacts, now: Timestamp) -> Rate {
    rate::cool_down(limits.cooldown, facts.last_for_email, now)
        .and(rate::check(limits.per_email, facts.nth_for_email, now))
        .and(rate::check(limits.per_ip, facts.nth_for_ip, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);
    const LIMITS: CodeLimits = CodeLimits {
        cooldown: Duration::from_secs(30),
        per_email: Limit { max: 5, window: QUARTER },
        per_ip: Limit { max: 20, window: QUARTER },
    };
    const QUIET: CodeRequestFacts =
        CodeRequestFacts { last_for_email: None, nth_for_email: None, nth_for_ip: None };
    const NOW: Timestamp = Timestamp::from_secs(10_000);

    fn full(secs: u64) -> Rate {
        Rate::Full { retry_after: Duration::from_secs(secs) }
    }

    #[test]
    fn the_first_request_passes() {
        assert_eq!(decide(LIMITS, QUIET, NOW), Rate::Open);
    }

    #[test]
    fn thirty_seconds_between_two() {
        let last = |secs| CodeRequestFacts { last_for_email: Some(Timestamp::from_secs(secs)), ..QUIET };
        assert_eq!(decide(LIMITS, last(9971), NOW), full(1));
        assert_eq!(decide(LIMITS, last(9970), NOW), Rate::Open);
    }

    #[test]
    fn five_per_email_and_twenty_per_address() {
        let email = CodeRequestFacts { nth_for_email: Some(Timestamp::from_secs(9200)), ..QUIET };
        assert_eq!(decide(LIMITS, email, NOW), full(100));
        let address = CodeRequestFacts { nth_for_ip: Some(Timestamp::from_secs(9300)), ..QUIET };
        assert_eq!(decide(LIMITS, address, NOW), full(200));
    }
}
