//! A token response (RFC 6749 section 5.1), and the session that it makes.

use crate::journal::Capability;
use crate::session::{Claims, Holder, Session};
use everkey_proto::{Secret, reply::User};
use std::collections::BTreeMap;

/// A token answer, translated from the provider's wire shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenResponse {
    /// The access token.
    pub access: Secret,
    /// Seconds as the server said them; may be absurd. None if it did not say.
    pub access_expires_in: Option<i64>,
    /// The refresh token, if it gives one.
    pub refresh: Option<Secret>,
    /// Seconds as the server said them; may be absurd. None if it did not say.
    pub refresh_expires_in: Option<i64>,
    /// Seconds until the whole authorization ends, as the server said them. None if it did not say.
    pub sign_in_expires_in: Option<i64>,
    /// Whose it is; sign-in answers say so, refresh answers needn't.
    pub user: Option<User>,
    /// What else it says about them.
    pub about: BTreeMap<String, String>,
    /// What the access token says about itself.
    pub claims: Claims,
    /// What the server promises about lost answers.
    pub capability: Capability,
}

/// The longest lifetime believed of any token, in seconds: ten years.
const LONGEST: i64 = 10 * 365 * 86400;

impl TokenResponse {
    /// The access token's lifetime in seconds, clamped to something sane; none if nobody says.
    pub fn access_lifetime(&self) -> Option<u64> {
        lifetime(self.access_expires_in)
    }

    /// The session this grant makes for `holder` when it arrives at `wall` (unix seconds).
    pub fn into_session(self, holder: Holder, wall: u64) -> Session {
        let after = |said| lifetime(said).map(|secs| wall.saturating_add(secs));
        Session {
            access_expires_at: after(self.access_expires_in),
            refresh_expires_at: after(self.refresh_expires_in),
            access: self.access,
            refresh: self.refresh,
            issued_at: Some(wall),
            claims: self.claims,
            holder,
        }
    }
}

/// A lifetime that a server named, clamped to something sane. Of a token that is just issued, 0 or less says as little as
/// nothing.
pub(crate) fn lifetime(said: Option<i64>) -> Option<u64> {
    said.filter(|secs| *secs > 0).map(|secs| secs.min(LONGEST).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n20_absurd_lifetimes_are_clamped() {
        let read = |secs| lifetime(Some(secs));
        assert_eq!([read(0), read(-5), read(i64::MIN), lifetime(None)], [None; 4], "nobody says");
        assert_eq!([read(1), read(i64::MAX)], [Some(1), Some(LONGEST.unsigned_abs())]);
    }
}
