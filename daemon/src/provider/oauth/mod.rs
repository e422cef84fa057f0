//! Any OAuth 2 or OpenID Connect server, by RFC 6749, 7009, 7591, 8414, 8628 and OpenID Connect Core and Discovery.
//! Deliberately absent: verifying signatures. An id_token counts only as it comes from the token endpoint itself.

mod device;
mod file;
mod metadata;
mod person;
mod registration;
mod tokens;

pub use file::{parse_session, render_session};
pub(super) use registration::read_registered;
pub(super) use tokens::{exchange_call, read_tokens};

use super::fields::retry_after;
use crate::http::{Answer, Auth, Call, Target};
use everkey_proto::Secret;
use everkey_session::job::{Identity, LoginAnswer, LoginCall, Refresh, RevokeAnswer};
use everkey_session::record::Revocation;
use everkey_session::registration::{At, ClientAuth, Endpoints, Registration};
use everkey_session::trouble::{NetKind, Rejected};
use serde::Deserialize;

/// RFC 8628's grant.
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The token endpoint; nowhere in particular without a registration, and [`refresh`] then sends nothing.
pub fn token_target(at: &At) -> Target {
    at.registration.as_ref().map_or(Target::Path("/"), |known| Target::from(&known.endpoints.token))
}

/// RFC 6749 section 6. Without a registration there is nobody that the token may be sent to.
pub fn refresh(at: &At, refresh: &Secret) -> Call {
    let Some(known) = &at.registration else { return Call::get("/") };
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
    from_client(known, &known.endpoints.token, &fields)
}

/// Reads a refresh answer; only JSON that refuses the token or the client is a refusal (I8).
pub fn read_refresh(answer: &Answer) -> Refresh {
    tokens::read_refresh(answer)
}

/// everkey-server says how far a session has rotated; nobody else does.
pub fn probe(at: &At, access: &Secret) -> Option<Call> {
    let session = at.registration.as_ref()?.endpoints.session.as_ref()?;
    Some(Call::get(session).auth(Auth::Bearer(access.clone())))
}

/// A call of a sign-in; none if it is not one of this provider's.
pub fn login(_server: &str, call: &LoginCall) -> Option<Call> {
    match call {
        LoginCall::Discover { issuer, place, .. } => metadata::url(issuer, *place).map(|url| Call::get(&url)),
        LoginCall::Register { endpoints, redirect, scope } => {
            registration::call(endpoints, redirect.as_deref(), scope.as_deref())
        }
        LoginCall::StartDevice { registration, scope } => {
            device::start(registration.as_ref()?, scope.as_deref())
        }
        LoginCall::PollDevice { registration, device_code } => {
            Some(device::poll(registration.as_ref()?, device_code))
        }
        LoginCall::Exchange { registration, code, verifier, redirect, .. } => {
            Some(exchange_call(registration, code, verifier, redirect, &[]))
        }
        LoginCall::Identify { registration, access } => ask_whose(&registration.as_ref()?.endpoints, access),
        LoginCall::RequestCode { .. } | LoginCall::VerifyCode { .. } => None,
    }
}

/// Reads the answer to a call of a sign-in.
pub fn read_login(call: &LoginCall, answer: &Answer) -> LoginAnswer {
    match call {
        LoginCall::Discover { issuer, place, scheme } => metadata::read(issuer, *place, *scheme, answer),
        LoginCall::Register { endpoints, .. } => read_registered(endpoints, answer),
        LoginCall::StartDevice { .. } => device::read_start(answer),
        LoginCall::PollDevice { registration, .. } => device::read_poll(registration.as_ref(), answer),
        LoginCall::Exchange { registration, nonce, .. } => {
            tokens::read_sign_in(Some(registration), nonce.as_deref(), answer)
        }
        LoginCall::Identify { .. } => LoginAnswer::Identified(read_identity(answer)),
        LoginCall::RequestCode { .. } | LoginCall::VerifyCode { .. } => failed(answer),
    }
}

/// The question whose a token is (OpenID Connect Core, 5.3.1); none without a userinfo endpoint.
pub fn identify(at: &At, access: &Secret) -> Option<Call> {
    ask_whose(&at.registration.as_ref()?.endpoints, access)
}

fn ask_whose(endpoints: &Endpoints, access: &Secret) -> Option<Call> {
    Some(Call::get(endpoints.userinfo.as_ref()?).auth(Auth::Bearer(access.clone())))
}

/// Reads the answer to it.
pub fn read_identity(answer: &Answer) -> Identity {
    match answer.status {
        200 => match answer.json::<person::Person>() {
            Some(person) => {
                let (user, about) = person.told();
                Identity::Accepted { user: Some(user), about }
            }
            None => Identity::Net(answer.trouble(NetKind::NotTheContract)),
        },
        // RFC 6750 needs no body; a page is somebody else's answer.
        401 if answer.is_json() || answer.body.is_empty() => Identity::Refused,
        404 => Identity::Untold,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        300..=399 => Identity::Net(answer.trouble(NetKind::Redirect)),
        status => Identity::Net(answer.trouble(NetKind::Status(status))),
    }
}

/// RFC 7009 section 2.1: the refresh token, which ends the session, or else the access token.
pub fn revoke(revocation: &Revocation) -> Option<Call> {
    let known = revocation.at.registration.as_ref()?;
    let (token, kind) = match &revocation.refresh {
        Some(refresh) => (refresh, "refresh_token"),
        None => (&revocation.access, "access_token"),
    };
    let fields = [("token", token.expose()), ("token_type_hint", kind)];
    Some(from_client(known, known.endpoints.revocation.as_ref()?, &fields))
}

/// Reads the answer to it; the body of a 200 says nothing (RFC 7009 section 2.2).
pub fn read_revoke(answer: &Answer) -> RevokeAnswer {
    match (answer.status, error_code(answer)) {
        (200 | 204, _) => RevokeAnswer::Confirmed,
        (400 | 401, Some(_)) => RevokeAnswer::Refused,
        (300..=399, _) => RevokeAnswer::Net(answer.trouble(NetKind::Redirect)),
        (status, _) => RevokeAnswer::Net(answer.trouble(NetKind::Status(status))),
    }
}

/// A form that says which client it is from, in the way that the server knows (RFC 6749 section 2.3).
fn from_client(known: &Registration, url: &String, fields: &[(&str, &str)]) -> Call {
    let mut fields = fields.to_vec();
    match (known.auth, &known.client_secret) {
        (ClientAuth::ClientSecretBasic, Some(secret)) => {
            return Call::form(url, &fields).auth(Auth::Basic(known.client_id.clone(), secret.clone()));
        }
        (ClientAuth::ClientSecretPost, Some(secret)) => {
            fields.extend([("client_id", known.client_id.as_str()), ("client_secret", secret.expose())]);
        }
        (ClientAuth::None, _) | (ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost, None) => {
            fields.push(("client_id", &known.client_id));
        }
    }
    Call::form(url, &fields)
}

/// The code of a JSON error (RFC 6749 section 5.2); none if it is not like one.
fn error_code(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Shape {
        error: String,
    }
    let code = answer.json::<Shape>()?.error;
    let like_one = (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    like_one.then_some(code)
}

/// What an answer that is not the one hoped for means for a sign-in.
pub(super) fn failed(answer: &Answer) -> LoginAnswer {
    match (answer.status, error_code(answer).as_deref()) {
        (429, _) => LoginAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (300..=399, _) => LoginAnswer::Net(answer.trouble(NetKind::Redirect)),
        (500.., _) => LoginAnswer::Net(answer.trouble(NetKind::Status(answer.status))),
        (_, Some("access_denied")) => LoginAnswer::Rejected(Rejected::Denied),
        (_, Some("expired_token")) => LoginAnswer::Rejected(Rejected::Expired),
        (_, Some(code)) => LoginAnswer::Rejected(Rejected::Other(code.to_owned())),
        (200..=299, None) => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
        (status, None) => LoginAnswer::Net(answer.trouble(NetKind::Status(status))),
    }
}

#[cfg(test)]
mod tests;
