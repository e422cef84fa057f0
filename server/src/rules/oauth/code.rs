//! When an authorization code may be exchanged (RFC 6749 sections 4.1.2 and 4.1.3, RFC 7636 section 4.6).

use std::time::Duration;

use crate::time::Moment;

/// How long a code works.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// What is known about a code that was brought.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The client that brings it is the one it was made for.
    pub client: bool,
    /// The redirect address is the one it was sent to.
    pub redirect: bool,
    /// The verifier is the one behind the challenge.
    pub verifier: bool,
    /// It has been used before.
    pub used: bool,
    /// When it lapses.
    pub expires_at: Moment,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Use it up and begin a session.
    Exchange,
    /// A second use by someone who knows everything the first one knew: end the session that the first began.
    Replay,
    /// Nothing. A code that leaks is of no use without its verifier, so whoever only has the code can neither burn it
    /// for its client nor end the client's session.
    Refuse,
}

/// Decides.
pub fn decide(facts: Facts, now: Moment) -> Decision {
    match facts {
        Facts { client: true, redirect: true, verifier: true, used: true, .. } => Decision::Replay,
        Facts { client: true, redirect: true, verifier: true, used: false, expires_at }
            if now < expires_at =>
        {
            Decision::Exchange
        }
        Facts { .. } => Decision::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_must_be_right_and_only_then_a_second_use_is_a_replay() {
        let (now, later) = (Moment::from_secs(10), Moment::from_secs(11));
        let right = Facts { client: true, redirect: true, verifier: true, used: false, expires_at: later };
        assert_eq!(decide(right, now), Decision::Exchange);
        assert_eq!(decide(right, later), Decision::Refuse);
        assert_eq!(decide(Facts { used: true, ..right }, now), Decision::Replay);
        assert_eq!(decide(Facts { used: true, ..right }, later), Decision::Replay);
        for used in [false, true] {
            for wrong in [
                Facts { client: false, used, ..right },
                Facts { redirect: false, used, ..right },
                Facts { verifier: false, used, ..right },
            ] {
                assert_eq!(decide(wrong, now), Decision::Refuse, "{wrong:?}");
            }
        }
    }
}
