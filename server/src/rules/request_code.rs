//! May a login code be sent now? failproofai: 5 per email and 20 per address in 15 minutes, 30 s apart. Here an email's
//! count is one for each network, so that nobody uses up another's.

use std::time::Duration;

use crate::rules::code_guess::CodeLength;
use crate::rules::rate::Rate;
use crate::time::Timestamp;

/// What the database knows about earlier requests. Nothing in it depends on whether the email has an account.
#[derive(Clone, Copy, Debug)]
pub struct CodeRequestFacts {
    /// What this network has asked for, for this email and in all.
    pub asker: Rate,
    /// What networks like this one have asked for, for this email.
    pub letters: Rate,
    /// How long the code must be.
    pub length: CodeLength,
    /// Until when the newest long code of this email works.
    pub long_until: Option<Timestamp>,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRequestDecision {
    Send(CodeLength),
    /// Send nothing: a long code is in the mailbox already, and is good for whoever reads it there.
    Share {
        until: Timestamp,
    },
    Wait {
        retry_after: Duration,
    },
}

/// Decides about one request. `ttl` is how long a code works. A mailbox gets no more letters than its limit, and one each
/// half `ttl` on top if it has no long code that would do.
pub fn decide(facts: CodeRequestFacts, ttl: Duration, now: Timestamp) -> CodeRequestDecision {
    if let Rate::Full { retry_after } = facts.asker {
        return CodeRequestDecision::Wait { retry_after };
    }
    match (facts.letters, facts.long_until) {
        (Rate::Open, _) => CodeRequestDecision::Send(facts.length),
        (Rate::Full { .. }, Some(until)) if until.since(now) >= ttl / 2 => {
            CodeRequestDecision::Share { until }
        }
        (Rate::Full { .. }, _) => CodeRequestDecision::Send(CodeLength::Long),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(600);
    const NOW: Timestamp = Timestamp::from_secs(10_000);
    const FULL: Rate = Rate::Full { retry_after: Duration::from_secs(9) };
    const QUIET: CodeRequestFacts = CodeRequestFacts {
        asker: Rate::Open,
        letters: Rate::Open,
        length: CodeLength::Short,
        long_until: None,
    };

    #[test]
    fn a_quiet_request_gets_a_code_as_long_as_needed() {
        assert_eq!(decide(QUIET, TTL, NOW), CodeRequestDecision::Send(CodeLength::Short));
        let attacked = CodeRequestFacts { length: CodeLength::Long, ..QUIET };
        assert_eq!(decide(attacked, TTL, NOW), CodeRequestDecision::Send(CodeLength::Long));
    }

    #[test]
    fn only_its_own_network_makes_a_request_wait() {
        let waits = CodeRequestDecision::Wait { retry_after: Duration::from_secs(9) };
        assert_eq!(decide(CodeRequestFacts { asker: FULL, ..QUIET }, TTL, NOW), waits);
        let flooded = CodeRequestFacts { letters: FULL, ..QUIET };
        assert_eq!(decide(flooded, TTL, NOW), CodeRequestDecision::Send(CodeLength::Long));
    }

    #[test]
    fn a_flooded_mailbox_shares_its_long_code_half_its_life() {
        let with = |secs| CodeRequestFacts {
            letters: FULL,
            long_until: Some(NOW.plus(Duration::from_secs(secs))),
            ..QUIET
        };
        let shared = CodeRequestDecision::Share { until: NOW.plus(Duration::from_secs(300)) };
        assert_eq!(decide(with(300), TTL, NOW), shared);
        assert_eq!(decide(with(299), TTL, NOW), CodeRequestDecision::Send(CodeLength::Long));
    }
}
