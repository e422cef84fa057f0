//! Whether the cookie of a browser still opens the pages.

use std::time::Duration;

use crate::rules::access::SessionStanding;
use crate::time::Timestamp;

/// What is known of a browser's session.
#[derive(Clone, Copy, Debug)]
pub struct BrowserSessionFacts {
    /// Whether the session was ended, or the account disabled.
    pub standing: SessionStanding,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
    pub last_seen: Timestamp,
}

/// Whether it opens anything: live, neither too old nor unused for `idle`.
pub fn opens(facts: BrowserSessionFacts, idle: Duration, now: Timestamp) -> bool {
    let fresh = now < facts.expires_at && now.since(facts.last_seen) < idle;
    match facts.standing {
        SessionStanding::Live => fresh,
        SessionStanding::Ended => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_old_and_unused_sessions_open_nothing() {
        let idle = Duration::from_secs(10);
        let facts = BrowserSessionFacts {
            standing: SessionStanding::Live,
            expires_at: Timestamp::from_secs(100),
            last_seen: Timestamp::from_secs(85),
        };
        assert!(opens(facts, idle, Timestamp::from_secs(94)));
        assert!(!opens(facts, idle, Timestamp::from_secs(95)));
        let used = BrowserSessionFacts { last_seen: Timestamp::from_secs(99), ..facts };
        assert!(opens(used, idle, Timestamp::from_millis(99_999)));
        assert!(!opens(used, idle, Timestamp::from_secs(100)));
        assert!(!opens(
            BrowserSessionFacts { standing: SessionStanding::Ended, ..used },
            idle,
            Timestamp::from_secs(99)
        ));
    }
}
