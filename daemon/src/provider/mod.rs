//! What each kind of server says on the wire and in its session file, translated to and from the core's words.
//! Pure: bytes in, values out.

mod failproofai;
pub mod jwt;

use crate::http::{Answer, Call};
use everkey_proto::{Scheme, Secret};
use everkey_session::event::{LoginAnswer, LoginCall, Probe, Refresh, RevokeAnswer};
use everkey_session::policy::{Policy, Replay};
use everkey_session::record::{Revocation, Session};

/// The kinds of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Email codes, rotating sessions; also what everkey-server speaks.
    Failproofai,
}

impl Provider {
    /// What its contract says about sessions; `gap_ms` is the least time between automatic refreshes.
    pub fn policy(self, gap_ms: u64) -> Policy {
        match self {
            Self::Failproofai => {
                Policy { scheme: Scheme::Otp, margin_secs: 60, replay: Replay::RevokesAll, gap_ms }
            }
        }
    }

    /// The hosted server.
    pub fn default_server(self) -> &'static str {
        match self {
            Self::Failproofai => "https://api.befailproof.ai",
        }
    }

    /// The session in a file's bytes, or none if they are not one.
    pub fn parse_session(self, bytes: &[u8]) -> Option<Session> {
        match self {
            Self::Failproofai => failproofai::parse_session(bytes),
        }
    }

    /// The file's bytes for a session; fields of `old` that everkey does not know are kept.
    pub fn render_session(self, old: Option<&[u8]>, session: &Session) -> zeroize::Zeroizing<Vec<u8>> {
        match self {
            Self::Failproofai => failproofai::render_session(old, session),
        }
    }

    /// The refresh request.
    pub fn refresh(self, refresh: &Secret, key: &Secret, deadline: u64) -> Call {
        match self {
            Self::Failproofai => failproofai::refresh(refresh, key, deadline),
        }
    }

    /// Reads a refresh answer (I8: only its unmistakable refusal is one).
    pub fn read_refresh(self, answer: &Answer) -> Refresh {
        match self {
            Self::Failproofai => failproofai::read_refresh(answer),
        }
    }

    /// The question where the server stands.
    pub fn probe(self, access: &Secret) -> Call {
        match self {
            Self::Failproofai => failproofai::probe(access),
        }
    }

    /// Reads the session route's answer.
    pub fn read_probe(self, answer: &Answer) -> Probe {
        match self {
            Self::Failproofai => failproofai::read_probe(answer),
        }
    }

    /// A call of a sign-in.
    pub fn login(self, call: &LoginCall) -> Call {
        match self {
            Self::Failproofai => failproofai::login(call),
        }
    }

    /// Reads the answer to a call of a sign-in.
    pub fn read_login(self, call: &LoginCall, answer: &Answer) -> LoginAnswer {
        match self {
            Self::Failproofai => failproofai::read_login(call, answer),
        }
    }

    /// The request that ends a session.
    pub fn revoke(self, revocation: &Revocation) -> Call {
        match self {
            Self::Failproofai => failproofai::revoke(revocation),
        }
    }

    /// Reads the answer to it.
    pub fn read_revoke(self, answer: &Answer) -> RevokeAnswer {
        match self {
            Self::Failproofai => failproofai::read_revoke(answer),
        }
    }
}
