//! Any OAuth 2 or OpenID Connect server, by RFC 6749, 7009, 7591, 8414, 8628 and OpenID Connect Core and Discovery.
//! Deliberately absent: verifying signatures. An id_token counts only as it comes from the token endpoint itself.

mod client;
mod device;
pub(super) mod error;
mod file;
pub(super) mod metadata;
pub(super) mod registration;
pub(super) mod tokens;
mod user_claims;

use super::descriptor::{Descriptor, LoginRoutes, ProviderRoute, RefreshRoute, RenewalRoute, SessionFormat};
use super::fields::{busy, retry_after};
use super::session_route;
use crate::http::{Auth, HttpRequest, HttpResponse, RequestTarget};
use client::{for_tokens, from_client};
use error::{error_code, failed};
use everkey_config::ProviderKind;
use everkey_proto::{ReplayRule, Secret};
use everkey_session::policy::OauthClient;
use everkey_session::{
    CallTarget, Endpoints, Identity, LoginAnswer, LoginCall, PendingRevocation, RevokeAnswer,
};
use tokens::read_refresh;
use user_claims::UserClaims;

pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: ProviderKind::Oauth,
    tool_names_server: false,
    session_file: SessionFormat {
        parse: file::parse_session,
        render: |_, session| file::render_session(session),
        render_signed_out: None,
        server: None,
    },
    login: LoginRoutes { request: login, read: read_login },
    oauth_client: Some(OauthClient::default),
    renewal: RenewalRoute::RefreshToken(RefreshRoute {
        target: token_endpoint,
        request: refresh,
        read: |at, answer| read_refresh(at.registration.as_ref(), answer),
        margin_secs: 60,
        replay: ReplayRule::Unknown,
    }),
    access_ends_with_session: false,
    probe: Some(ProviderRoute { request: probe, read: session_route::read }),
    identify: Some(ProviderRoute { request: identify, read: read_identity }),
    tool_status: None,
    revoke: Some(ProviderRoute { request: revoke, read: read_revoke }),
    find_revocation: None,
    remind: None,
};

/// Without a registration there is nobody that a refresh token may be sent to.
fn token_endpoint(at: &CallTarget) -> Option<RequestTarget> {
    Some(RequestTarget::from(&at.registration.as_ref()?.endpoints.token))
}

/// RFC 6749 section 6.
fn refresh(at: &CallTarget, refresh: &Secret) -> Option<HttpRequest> {
    let known = at.registration.as_ref()?;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
    Some(for_tokens(known, &known.endpoints.token, &fields))
}

/// Only everkey-server has a session endpoint.
fn probe(at: &CallTarget, access: &Secret) -> Option<HttpRequest> {
    let session = at.registration.as_ref()?.endpoints.session.as_ref()?;
    Some(session_route::request_at(session.into(), access))
}

fn login(call: &LoginCall) -> Option<HttpRequest> {
    match call {
        LoginCall::Discover { issuer, place, .. } => {
            metadata::url(issuer, *place).map(|url| HttpRequest::get(&url))
        }
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
            Some(tokens::exchange_call(registration, code, verifier, redirect, &[]))
        }
        LoginCall::ClientCredentials { registration, scope } => {
            Some(tokens::client_credentials_call(registration, scope.as_deref()))
        }
        LoginCall::Identify { registration, access } => ask_whose(&registration.as_ref()?.endpoints, access),
        LoginCall::RequestCode { .. } | LoginCall::VerifyCode { .. } => None,
    }
}

fn read_login(call: &LoginCall, answer: &HttpResponse) -> LoginAnswer {
    match call {
        LoginCall::Discover { issuer, place, scheme } => metadata::read(issuer, *place, *scheme, answer),
        LoginCall::Register { endpoints, .. } => registration::read_registered(endpoints, answer),
        LoginCall::StartDevice { .. } => device::read_start(answer),
        LoginCall::PollDevice { registration, .. } => device::read_poll(registration.as_ref(), answer),
        LoginCall::Exchange { registration, nonce, .. } => {
            tokens::read_sign_in(Some(registration), nonce.as_deref(), answer)
        }
        // Nobody in particular signs in, so there is no id_token to check.
        LoginCall::ClientCredentials { .. } => tokens::read_sign_in(None, None, answer),
        LoginCall::Identify { .. } => LoginAnswer::Identified(read_identity(answer)),
        LoginCall::RequestCode { .. } | LoginCall::VerifyCode { .. } => failed(answer),
    }
}

/// The question whose a token is (OpenID Connect Core, 5.3.1); none without a userinfo endpoint.
fn identify(at: &CallTarget, access: &Secret) -> Option<HttpRequest> {
    ask_whose(&at.registration.as_ref()?.endpoints, access)
}

fn ask_whose(endpoints: &Endpoints, access: &Secret) -> Option<HttpRequest> {
    Some(HttpRequest::get(endpoints.userinfo.as_ref()?).auth(Auth::Bearer(access.clone())))
}

fn read_identity(answer: &HttpResponse) -> Identity {
    match answer.status {
        200 => match answer.object::<UserClaims>().and_then(UserClaims::named) {
            Ok(claims) => {
                let (user, about) = claims.user();
                Identity::Accepted { user: Some(user), about }
            }
            Err(flaw) => Identity::Net(answer.unusable(flaw)),
        },
        // RFC 6750 needs no body; a page is somebody else's answer.
        401 if answer.is_json() || answer.body.is_empty() => Identity::Refused,
        404 => Identity::Untold,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        _ => Identity::Net(answer.unexpected()),
    }
}

/// RFC 7009 section 2.1: the refresh token, which ends the session, or else the access token.
pub(super) fn revoke(revocation: &PendingRevocation) -> Option<HttpRequest> {
    let known = revocation.at.registration.as_ref()?;
    let (token, kind) = match &revocation.refresh {
        Some(refresh) => (refresh, "refresh_token"),
        None => (&revocation.access, "access_token"),
    };
    let fields = [("token", token.expose()), ("token_type_hint", kind)];
    Some(from_client(known, known.endpoints.revocation.as_ref()?, &fields))
}

/// Reads the answer to it; the body of a 200 says nothing. A token that is unknown or revoked already is answered with
/// 200, so no error means that it is gone (RFC 7009 section 2.2).
pub(super) fn read_revoke(answer: &HttpResponse) -> RevokeAnswer {
    match (answer.status, error_code(answer)) {
        (200 | 204, _) => RevokeAnswer::Confirmed,
        (400..=428 | 430..=499, Some(code)) => RevokeAnswer::Declined(code),
        _ => RevokeAnswer::Net(busy(answer)),
    }
}

#[cfg(test)]
mod tests;
