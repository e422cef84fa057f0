//! When an authorization code may be exchanged (RFC 6749 sections 4.1.2 and 4.1.3, RFC 7636 section 4.6).

use std::time::Duration;

use crate::time::Timestamp;

/// How long a code works.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// What is known about a code that was brought.
#[derive(Clone, Copy, Debug)]
pub struct CodeExchangeFacts {
    /// The client that brings it is the one it was made for.
    pub client: bool,
    /// The redirect address is the one it was sent to.
    pub redirect: bool,
    /// The verifier is the one behind the challenge.
    pub verifier: bool,
    /// It has been used before.
    pub used: bool,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeDecision {
    /// Use it up and begin a session.
    Exchange,
    /// A second use by someone who knows everything the first one knew: end the session that the first began.
    Replay,
    /// Nothing. A code that leaks is of no use without its verifier, so whoever only has the code can neither burn it
    /// for its client nor end the client's session.
    Refuse,
}

pub fn decide(facts: CodeExchangeFacts, now: Timestamp) -> CodeDecision {
    match facts {
        CodeExchangeFacts { client: true, redirect: true, verifier: true, used: true, .. } => {
            CodeDecision::Replay
        }
        CodeExchangeFacts { client: true, redirect: true, verifier: true, used: false, expires_at }
            if now < expires_at =>
        {
            CodeDecision::Exchange
        }
        CodeExchangeFacts { .. } => CodeDecision::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_use_is_a_replay_only_if_all_fits() {
        let (now, later) = (Timestamp::from_secs(10), Timestamp::from_secs(11));
        let right = CodeExchangeFacts {
            client: true,
            redirect: true,
            verifier: true,
            used: false,
            expires_at: later,
        };
        assert_eq!(decide(right, now), CodeDecision::Exchange);
        assert_eq!(decide(right, later), CodeDecision::Refuse);
        assert_eq!(decide(CodeExchangeFacts { used: true, ..right }, now), CodeDecision::Replay);
        assert_eq!(decide(CodeExchangeFacts { used: true, ..right }, later), CodeDecision::Replay);
        for used in [false, true] {
            for wrong in [
                CodeExchangeFacts { client: false, used, ..right },
                CodeExchangeFacts { redirect: false, used, ..right },
                CodeExchangeFacts { verifier: false, used, ..right },
            ] {
                assert_eq!(decide(wrong, now), CodeDecision::Refuse, "{wrong:?}");
            }
        }
    }
}
