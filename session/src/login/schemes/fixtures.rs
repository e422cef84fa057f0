//! What the tests of the schemes have in common: a clock moved by hand, a server's endpoints, and grants.

use crate::error::{NetError, NetErrorKind};
use crate::identity::Identity;
use crate::journal::Capability;
use crate::login::next_step::NextStep;
use crate::login_call::{LoginAnswer, LoginCall, WellKnown};
use crate::policy::OauthClient;
use crate::registration::{Endpoints, Registration};
use crate::session::Claims;
use crate::time::{Boot, Moment};
use crate::token_response::TokenResponse;
use everkey_proto::reply::User;
use everkey_proto::{Secret, SignInMethod};
use std::collections::BTreeMap;

pub const SERVER: &str = "https://id.example";

/// So many milliseconds after the sign-in began.
pub fn after_ms(ms: u64) -> Moment {
    Moment { boot: Boot(5_000_000 + ms), wall: 1_800_000_000 + ms / 1000, dice: [7; 32] }
}

/// A server that offers everything.
pub fn endpoints() -> Endpoints {
    let at = |path: &str| Some(format!("{SERVER}{path}"));
    Endpoints {
        issuer: SERVER.to_owned(),
        token: format!("{SERVER}/token"),
        authorization: at("/authorize"),
        device_authorization: at("/device"),
        registration: at("/register"),
        revocation: at("/revoke"),
        userinfo: at("/userinfo"),
        session: None,
        names_itself: false,
        client_auth: Vec::new(),
        scopes: ["address", "email", "openid", "offline_access"].map(str::to_owned).to_vec(),
    }
}

/// The question where the endpoints are.
pub fn discovery(scheme: SignInMethod, place: WellKnown) -> NextStep {
    NextStep::Call(LoginCall::Discover { issuer: SERVER.to_owned(), place, scheme })
}

/// This client as the server knows it.
pub fn registration(endpoints: Endpoints) -> Registration {
    Registration { client_id: "everkey-1".to_owned(), endpoints, ..Registration::default() }
}

/// The configured client, whose secret is nobody's business here.
pub fn configured(endpoints: Endpoints) -> Registration {
    Registration { configured: true, ..registration(endpoints) }
}

/// A client that the server gave an id beforehand.
pub fn with_id() -> OauthClient {
    OauthClient { client_id: Some("everkey-1".to_owned()), ..OauthClient::default() }
}

pub fn user(id: &str) -> User {
    User { id: id.to_owned(), email: format!("{id}@example.com") }
}

/// Tokens, with whose they are if they say so.
pub fn grant(user: Option<User>) -> TokenResponse {
    TokenResponse {
        access: Secret::new("access"),
        access_expires_in: Some(3600),
        refresh: Some(Secret::new("refresh")),
        refresh_expires_in: None,
        sign_in_expires_in: None,
        user,
        about: BTreeMap::new(),
        claims: Claims::default(),
        capability: Capability::None,
    }
}

/// The server says that it is them, and that they are an admin.
pub fn accepted(user: Option<User>) -> LoginAnswer {
    let about = BTreeMap::from([("role".to_owned(), "admin".to_owned())]);
    LoginAnswer::Identified(Identity::Accepted { user, about })
}

/// No usable answer.
pub fn no(kind: NetErrorKind) -> LoginAnswer {
    LoginAnswer::Net(NetError { server: SERVER.to_owned(), kind })
}
