//! Whether the cookie of a browser still opens the pages.

use std::time::Duration;

use super::access::Standing;
use crate::time::Moment;

/// What is known of a browser's session.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether the session was ended, or the account disabled.
    pub standing: Standing,
    /// When it ends however much it is used.
    pub expires_at: Moment,
    /// When it was last used.
    pub last_seen: Moment,
}

/// Whether it opens anything: live, neither too old nor unused for `idle`.
pub fn opens(facts: Facts, idle: Duration, now: Moment) -> bool {
    let fresh = now < facts.expires_at && now.since(facts.last_seen) < idle;
    match facts.standing {
        Standing::Live => fresh,
        Standing::Ended => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_old_and_unused_sessions_open_nothing() {
        let idle = Duration::from_secs(10);
        let facts = Facts {
            standing: Standing::Live,
            expires_at: Moment::from_secs(100),
            last_seen: Moment::from_secs(85),
        };
        assert!(opens(facts, idle, Moment::from_secs(94)));
        assert!(!opens(facts, idle, Moment::from_secs(95)));
        let used = Facts { last_seen: Moment::from_secs(99), ..facts };
        assert!(opens(used, idle, Moment::from_millis(99_999)));
        assert!(!opens(used, idle, Moment::from_secs(100)));
        assert!(!opens(Facts { standing: Standing::Ended, ..used }, idle, Moment::from_secs(99)));
    }
}
