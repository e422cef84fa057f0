//! What an access token opens: a live session, only the sight of its generation, or nothing.

use crate::time::Moment;

/// Whether the session behind an access token still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Neither revoked nor of a disabled account.
    Live,
    /// Revoked, unknown, or of a disabled account.
    Ended,
}

/// What the bearer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything its user may.
    Full,
    /// Only learn how far its session has rotated: the token has expired.
    ProbeOnly,
    /// Nothing.
    Refused,
}

/// Decides by the session's standing and the token's expiry; there is no leeway.
pub fn decide(standing: Standing, expires_at: Moment, now: Moment) -> Access {
    match standing {
        Standing::Ended => Access::Refused,
        Standing::Live if now < expires_at => Access::Full,
        Standing::Live => Access::ProbeOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revocation_wins_over_a_valid_expiry() {
        let (now, later) = (Moment::from_secs(10), Moment::from_secs(11));
        assert_eq!(decide(Standing::Live, later, now), Access::Full);
        assert_eq!(decide(Standing::Live, now, now), Access::ProbeOnly);
        assert_eq!(decide(Standing::Ended, later, now), Access::Refused);
        assert_eq!(decide(Standing::Ended, now, now), Access::Refused);
    }
}
