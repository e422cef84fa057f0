//! The calls that sign-ins make to servers, and what servers answer.

use crate::error::{NetError, Rejected};
use crate::identity::Identity;
use crate::registration::{Endpoints, Registration};
use crate::token_response::TokenResponse;
use everkey_proto::{Secret, SignInMethod};

/// Calls of sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginCall {
    /// Have a code sent.
    RequestCode {
        /// To this address.
        email: String,
    },
    /// Exchange the code for tokens.
    VerifyCode {
        /// The address.
        email: String,
        code: Secret,
        /// What the server called the request for it, if that is known.
        request_id: Option<Secret>,
        /// The second factor, if the server has asked for it.
        second_factor: Option<Secret>,
    },
    /// Find out where the server's endpoints are.
    Discover {
        /// What the server must call itself, to the letter.
        issuer: String,
        /// Where to look.
        place: WellKnown,
        /// The way to sign in that it must be fit for.
        scheme: SignInMethod,
    },
    /// Register this client (RFC 7591).
    Register {
        /// Where.
        endpoints: Endpoints,
        /// Where browsers come back to, if they do.
        redirect: Option<String>,
        /// What it is going to ask for.
        scope: Option<String>,
    },
    /// Begin a sign-in by device code (RFC 8628 section 3.1).
    StartDevice {
        /// What an OAuth server knows this client as.
        registration: Option<Registration>,
        /// What to ask for.
        scope: Option<String>,
    },
    /// Ask whether the code was approved (RFC 8628 section 3.4).
    PollDevice {
        /// What an OAuth server knows this client as.
        registration: Option<Registration>,
        device_code: Secret,
    },
    /// Exchange an authorization code for tokens (RFC 6749 section 4.1.3).
    Exchange {
        /// What the server knows this client as.
        registration: Registration,
        code: Secret,
        /// The code verifier (RFC 7636).
        verifier: Secret,
        /// Where the browser came back to.
        redirect: String,
        /// What an id_token must repeat, if the page was told (OpenID Connect).
        nonce: Option<String>,
        /// For how many seconds the tokens shall work; none means as the server likes.
        lifetime_secs: Option<u64>,
    },
    /// Ask for a token as the client itself (RFC 6749 section 4.4).
    ClientCredentials {
        /// What the server knows this client as.
        registration: Registration,
        /// What to ask for; none means as the server likes.
        scope: Option<String>,
    },
    /// Ask whose a token is.
    Identify {
        /// What an OAuth server knows this client as.
        registration: Option<Registration>,
        /// The token.
        access: Secret,
    },
}

impl LoginCall {
    /// What is asked, in a word for logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::RequestCode { .. } => "request_code",
            Self::VerifyCode { .. } => "verify_code",
            Self::Discover { .. } => "discover",
            Self::Register { .. } => "register",
            Self::StartDevice { .. } => "start_device",
            Self::PollDevice { .. } => "poll_device",
            Self::Exchange { .. } => "exchange",
            Self::ClientCredentials { .. } => "client_credentials",
            Self::Identify { .. } => "identify",
        }
    }

    /// What an OAuth server knows the client as that makes the call, if it has to prove who it is.
    pub fn registration_mut(&mut self) -> Option<&mut Registration> {
        match self {
            Self::StartDevice { registration, .. } | Self::PollDevice { registration, .. } => {
                registration.as_mut()
            }
            Self::Exchange { registration, .. } | Self::ClientCredentials { registration, .. } => {
                Some(registration)
            }
            Self::RequestCode { .. }
            | Self::VerifyCode { .. }
            | Self::Discover { .. }
            | Self::Register { .. }
            | Self::Identify { .. } => None,
        }
    }
}

/// Where a server's metadata can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WellKnown {
    /// `ISSUER/.well-known/openid-configuration` (OpenID Connect Discovery, section 4).
    OpenId,
    /// `/.well-known/oauth-authorization-server` between host and path (RFC 8414 section 3.1).
    OAuth,
    /// `/.well-known/openid-configuration` between host and path (RFC 8414 section 5).
    OpenIdOfPath,
}

impl WellKnown {
    /// Where this issuer's metadata can be if it is not here.
    pub fn next(self, issuer: &str) -> Option<Self> {
        let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let has_path = rest.trim_end_matches('/').contains('/');
        match self {
            Self::OpenId => Some(Self::OAuth),
            // Without a path it is the first place again.
            Self::OAuth => Some(Self::OpenIdOfPath).filter(|_| has_path),
            Self::OpenIdOfPath => None,
        }
    }
}

/// What a server answers to a call of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// A code is on its way.
    CodeSent {
        /// Seconds for which it works, if the server says so.
        expires_in: Option<u64>,
        /// Seconds after which another can be asked for, if the server says so.
        resend_available_in: Option<u64>,
        /// What the server calls the request, if it does.
        request_id: Option<Secret>,
    },
    /// The code is right, and the account has a second factor that must be sent along.
    SecondFactorAsked,
    /// Where the endpoints are.
    Discovered(Endpoints),
    /// What the server knows this client as from now on.
    Registered(Registration),
    /// A code to show, and one to poll with.
    DeviceStarted {
        /// To poll with.
        device_code: Secret,
        /// To show.
        user_code: String,
        /// Where to type it.
        url: String,
        /// The same with the code in it.
        complete_url: Option<String>,
        /// Seconds for which the codes work.
        expires_in: u64,
        /// Seconds between two polls.
        interval: u64,
    },
    /// Nobody has approved yet.
    Pending,
    /// Nobody has approved yet, and it was asked too soon (RFC 8628 section 3.5).
    SlowDown,
    /// Whose the token is.
    Identified(Identity),
    /// Signed in.
    Granted(TokenResponse),
    /// The server refuses.
    Rejected(Rejected),
    /// The server asks to wait.
    Limited(u64),
    /// No usable answer.
    Net(NetError),
}
