//! What each kind of server says on the wire and in its session file, translated to and from the core's words.
//! Pure: bytes in, values out. A new kind of server is a file, a variant, and what the compiler then asks for.

mod achilles;
mod binboi;
mod dot_ai;
mod failproofai;
mod fields;
pub mod jwt;
mod oauth;
#[cfg(test)]
mod samples;

pub use fields::whole;

use crate::http::{Answer, Call, Target};
use everkey_proto::{ProviderKind, Scheme, Secret};
use everkey_session::job::{Identity, LoginAnswer, LoginCall, Probe, Refresh, ReminderAnswer, RevokeAnswer};
use everkey_session::policy::{Discovery, OauthClient, Policy, Replay};
use everkey_session::record::{Revocation, Session};
use everkey_session::registration::At;
use zeroize::Zeroizing;

/// The kinds of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Email codes, rotating sessions; also what everkey-server speaks.
    Failproofai,
    /// Device codes, rotating sessions of an organisation.
    Achilles,
    /// Tokens made in a dashboard.
    Binboi,
    /// Sign-in by browser without refresh tokens, or a static token.
    DotAi,
    /// Any OAuth 2 or OpenID Connect server.
    Oauth,
}

/// What a session file's bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // never more than one at a time
pub enum Parsed {
    /// A session.
    Session(Session),
    /// The tool's own file, with nobody signed in.
    Nobody,
    /// JSON, but not as this everkey knows it: perhaps of a newer version of its tool. It is left alone.
    Strange,
    /// Nothing that anybody could use.
    Damaged,
}

impl From<ProviderKind> for Provider {
    fn from(kind: ProviderKind) -> Self {
        match kind {
            ProviderKind::Failproofai => Self::Failproofai,
            ProviderKind::Achilles => Self::Achilles,
            ProviderKind::Binboi => Self::Binboi,
            ProviderKind::DotAi => Self::DotAi,
            ProviderKind::Oauth => Self::Oauth,
        }
    }
}

impl Provider {
    /// Its name, as configuration and status write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failproofai => "failproofai",
            Self::Achilles => "achilles",
            Self::Binboi => "binboi",
            Self::DotAi => "dot-ai",
            Self::Oauth => "oauth",
        }
    }

    /// What its contract says about sessions; `gap_ms` is the least time between automatic refreshes.
    pub fn policy(self, gap_ms: u64) -> Policy {
        let policy = Policy {
            schemes: vec![Scheme::Otp],
            refreshes: true,
            revokes: true,
            identifies: false,
            reminds: false,
            oauth: None,
            margin_secs: 60,
            replay: Replay::RevokesAll,
            gap_ms,
        };
        match self {
            Self::Failproofai => Policy { reminds: true, ..policy },
            Self::Achilles => Policy {
                schemes: vec![Scheme::Device],
                revokes: false,
                identifies: true,
                margin_secs: 300,
                replay: Replay::Rejects,
                ..policy
            },
            Self::Binboi => Policy {
                schemes: vec![Scheme::Token],
                refreshes: false,
                revokes: false,
                identifies: true,
                ..policy
            },
            Self::DotAi => Policy {
                schemes: vec![Scheme::Browser],
                refreshes: false,
                revokes: false,
                oauth: Some(OauthClient {
                    discovery: Discovery::UsualPaths,
                    lifetime_secs: Some(dot_ai::LIFETIME_SECS),
                    ..OauthClient::default()
                }),
                ..policy
            },
            Self::Oauth => Policy {
                schemes: vec![Scheme::Browser, Scheme::Device],
                identifies: true,
                oauth: Some(OauthClient::default()),
                ..policy
            },
        }
    }

    /// The server that a tool's own file names, though nobody is signed in, as it is written.
    pub fn server_in(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Binboi => binboi::server(bytes),
            Self::Failproofai | Self::Achilles | Self::DotAi | Self::Oauth => None,
        }
    }

    /// What a file's bytes hold.
    pub fn parse_session(self, bytes: &[u8]) -> Parsed {
        match self {
            Self::Failproofai => match failproofai::parse_session(bytes) {
                Some(session) => Parsed::Session(session),
                None if failproofai::is_of_another_shape(bytes) => Parsed::Strange,
                None => Parsed::Damaged,
            },
            Self::Achilles => achilles::parse_session(bytes),
            Self::Binboi => binboi::parse_session(bytes),
            Self::DotAi => dot_ai::parse_session(bytes),
            Self::Oauth => oauth::parse_session(bytes),
        }
    }

    /// The file's bytes for a session; fields of `old` that everkey does not know are kept.
    pub fn render_session(self, old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Failproofai => failproofai::render_session(old, session),
            Self::Achilles => achilles::render_session(old, session),
            Self::Binboi => binboi::render_session(old, session),
            Self::DotAi => dot_ai::render_session(old, session),
            Self::Oauth => oauth::render_session(session),
        }
    }

    /// What is left of a file once nobody is signed in; none if the file goes altogether.
    pub fn render_signed_out(self, old: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Failproofai | Self::Achilles | Self::Oauth => None,
            Self::Binboi => binboi::render_signed_out(old),
            Self::DotAi => dot_ai::render_signed_out(old),
        }
    }

    /// Where refresh tokens are sent.
    pub fn refresh_target(self, at: &At) -> Target {
        match self {
            Self::Failproofai => failproofai::REFRESH.into(),
            Self::Achilles => achilles::REFRESH.into(),
            Self::Oauth => oauth::token_target(at),
            // They have none; nothing is ever sent.
            Self::Binboi | Self::DotAi => "/".into(),
        }
    }

    /// The refresh request.
    pub fn refresh(self, at: &At, refresh: &Secret, key: &Secret, deadline: u64) -> Call {
        let call = match self {
            Self::Failproofai => failproofai::refresh(refresh),
            Self::Achilles => achilles::refresh(refresh),
            Self::Oauth => oauth::refresh(at, refresh),
            Self::Binboi | Self::DotAi => return Call::get("/"),
        };
        call.secret_header("idempotency-key", key).header("x-request-deadline", deadline.to_string())
    }

    /// Reads a refresh answer (I8: only its unmistakable refusal is one).
    pub fn read_refresh(self, answer: &Answer) -> Refresh {
        match self {
            Self::Failproofai => failproofai::read_refresh(answer),
            Self::Achilles => achilles::read_refresh(answer),
            Self::Oauth => oauth::read_refresh(answer),
            Self::Binboi | Self::DotAi => {
                Refresh::Unclear(answer.trouble(everkey_session::trouble::NetKind::NotTheContract))
            }
        }
    }

    /// The question where the server stands; none if it has no route for it.
    pub fn probe(self, at: &At, access: &Secret) -> Option<Call> {
        match self {
            // everkey-server answers it for a session of any kind.
            Self::Failproofai | Self::Achilles => Some(failproofai::probe(access)),
            Self::Oauth => oauth::probe(at, access),
            Self::Binboi | Self::DotAi => None,
        }
    }

    /// Reads the session route's answer.
    pub fn read_probe(self, answer: &Answer) -> Probe {
        failproofai::read_probe(answer)
    }

    /// A call of a sign-in at `server`; none if there is no such call.
    pub fn login(self, server: &str, call: &LoginCall) -> Option<Call> {
        match self {
            Self::Failproofai => failproofai::login(call),
            Self::Achilles => achilles::login(call),
            Self::Binboi => binboi::login(call),
            Self::DotAi => dot_ai::login(call),
            Self::Oauth => oauth::login(server, call),
        }
    }

    /// Reads the answer to a call of a sign-in.
    pub fn read_login(self, call: &LoginCall, answer: &Answer) -> LoginAnswer {
        match self {
            Self::Failproofai => failproofai::read_login(call, answer),
            Self::Achilles => achilles::read_login(call, answer),
            Self::Binboi => binboi::read_login(call, answer),
            Self::DotAi => dot_ai::read_login(call, answer),
            Self::Oauth => oauth::read_login(call, answer),
        }
    }

    /// The question whose a token is; none if the server has no route for it.
    pub fn identify(self, at: &At, access: &Secret) -> Option<Call> {
        match self {
            Self::Failproofai => Some(failproofai::identify(access)),
            Self::Achilles => Some(achilles::identify(access)),
            Self::Binboi => Some(binboi::identify(access)),
            Self::DotAi => None,
            Self::Oauth => oauth::identify(at, access),
        }
    }

    /// Reads the answer to it.
    pub fn read_identity(self, answer: &Answer) -> Identity {
        match self {
            Self::Failproofai => failproofai::read_identity(answer),
            Self::Achilles => achilles::read_identity(answer),
            Self::Binboi => binboi::read_identity(answer),
            Self::DotAi => Identity::Untold,
            Self::Oauth => oauth::read_identity(answer),
        }
    }

    /// The request that ends a session; none if the server has no route for it.
    pub fn revoke(self, revocation: &Revocation) -> Option<Call> {
        match self {
            Self::Failproofai => failproofai::revoke(revocation),
            Self::Oauth => oauth::revoke(revocation),
            Self::Achilles | Self::Binboi | Self::DotAi => None,
        }
    }

    /// Reads the answer to it.
    pub fn read_revoke(self, answer: &Answer) -> RevokeAnswer {
        match self {
            Self::Oauth => oauth::read_revoke(answer),
            Self::Failproofai | Self::Achilles | Self::Binboi | Self::DotAi => {
                failproofai::read_revoke(answer)
            }
        }
    }

    /// The request that tells the server when a reminder is due, or that it was cleared; none if it keeps none.
    pub fn remind(self, access: &Secret, due_at: Option<u64>) -> Option<Call> {
        match self {
            Self::Failproofai => Some(failproofai::remind(access, due_at)),
            Self::Achilles | Self::Binboi | Self::DotAi | Self::Oauth => None,
        }
    }

    /// Reads the answer to it.
    pub fn read_reminded(self, answer: &Answer) -> ReminderAnswer {
        failproofai::read_reminded(answer)
    }
}
