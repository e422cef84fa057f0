//! Second factors: when a sign-in is recent enough to change one, or to make something that outlives it.

use std::time::Duration;

use crate::time::Timestamp;

/// How long a remembered browser is spared the second factor.
pub const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// Whether someone who proved who they are at `proved_at` may change their second factor or make a token without doing
/// so again: that counts for `span`.
pub fn recent(proved_at: Timestamp, span: Duration, now: Timestamp) -> bool {
    now < proved_at.plus(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_recent_for_its_span() {
        let (at, span) = (Timestamp::from_secs(1000), Duration::from_secs(600));
        assert!(recent(at, span, at) && recent(at, span, Timestamp::from_millis(1_599_999)));
        assert!(!recent(at, span, Timestamp::from_secs(1600)));
    }
}
