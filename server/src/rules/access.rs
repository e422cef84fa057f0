//! What an access token opens: a live session, only the sight of its generation, or nothing.

use crate::time::Timestamp;

/// Whether the session behind an access token still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStanding {
    /// Neither revoked nor of a disabled account.
    Live,
    /// Revoked, unknown, or of a disabled account.
    Ended,
}

/// What the bearer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAccess {
    /// Everything its user may.
    Full,
    /// Only learn how far its session has rotated: the token has expired.
    ProbeOnly,
    Refused,
}

/// Decides by the session's standing and the token's expiry; there is no leeway.
pub fn decide(standing: SessionStanding, expires_at: Timestamp, now: Timestamp) -> TokenAccess {
    match standing {
        SessionStanding::Ended => TokenAccess::Refused,
        SessionStanding::Live if now < expires_at => TokenAccess::Full,
        SessionStanding::Live => TokenAccess::ProbeOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revocation_wins_over_a_valid_expiry() {
        let (now, later) = (Timestamp::from_secs(10), Timestamp::from_secs(11));
        assert_eq!(decide(SessionStanding::Live, later, now), TokenAccess::Full);
        assert_eq!(decide(SessionStanding::Live, now, now), TokenAccess::ProbeOnly);
        assert_eq!(decide(SessionStanding::Ended, later, now), TokenAccess::Refused);
        assert_eq!(decide(SessionStanding::Ended, now, now), TokenAccess::Refused);
    }
}
