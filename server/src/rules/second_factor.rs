//! Second factors: when a sign-in is recent enough to change one.

use std::time::Duration;

use crate::time::Timestamp;

/// How long a sign-in counts as recent.
const RECENT: Duration = Duration::from_secs(10 * 60);

/// How long a remembered browser is spared the second factor.
pub const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// Whether someone who proved who they are at `proved_at` may change their second factor without doing so again.
pub fn recent(proved_at: Timestamp, now: Timestamp) -> bool {
    now < proved_at.plus(RECENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_recent_for_ten_minutes() {
        let at = Timestamp::from_secs(1000);
        assert!(recent(at, at) && recent(at, Timestamp::from_millis(1_599_999)));
        assert!(!recent(at, Timestamp::from_secs(1600)));
    }
}
