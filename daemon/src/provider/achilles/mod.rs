//! achilles' contract: device codes, and sessions of one organisation whose refresh tokens rotate.

mod about;
mod device;
mod envelope;
mod file;
mod tokens;
mod tool_status;

use super::descriptor::{Descriptor, LoginRoutes, ProviderRoute, RefreshRoute, RenewalRoute, SessionFormat};
use super::fields::retry_after;
use super::proof::{read_other, read_tokenless};
use super::session_route;
use crate::http::{Auth, HttpRequest, HttpResponse};
use about::UserDetails;
use device::{polled, started};
use envelope::{data, failure};
use everkey_config::ProviderKind;
use everkey_proto::{ReplayRule, Secret};
use everkey_session::{AnswerFlaw, Identity, LoginAnswer, LoginCall, RefreshAnswer};
use serde::Deserialize;
use serde_json::json;
use tokens::{NewTokens, tokens};

pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: ProviderKind::Achilles,
    tool_names_server: true,
    session_file: SessionFormat {
        parse: file::parse_session,
        render: file::render_session,
        render_signed_out: None,
        server: None,
    },
    login: LoginRoutes { request: login, read: read_login },
    oauth_client: None,
    renewal: RenewalRoute::RefreshToken(RefreshRoute {
        target: |_| Some(REFRESH.into()),
        request: |_, token| Some(refresh(token)),
        read: |_, answer| read_refresh(answer),
        margin_secs: 300,
        replay: ReplayRule::StrictReject,
    }),
    access_ends_with_session: false,
    probe: Some(ProviderRoute { request: session_route::request, read: session_route::read }),
    identify: Some(ProviderRoute { request: |_, access| Some(identify(access)), read: read_identity }),
    tool_status: Some(&tool_status::TOOL_STATUS),
    revoke: None,
    find_revocation: None,
    remind: None,
};

const REFRESH: &str = "/api/cli/auth/refresh";

fn refresh(refresh: &Secret) -> HttpRequest {
    HttpRequest::post(REFRESH, json!({ "refresh_token": refresh }))
}

/// Reads a refresh answer: only 401 with the contract's error is a refusal.
fn read_refresh(answer: &HttpResponse) -> RefreshAnswer {
    let failure = failure(answer);
    let code = failure.as_ref().and_then(|failure| failure.code.as_deref());
    match (answer.status, &failure) {
        (200, _) => match tokens(answer, NewTokens::OfRefresh) {
            Ok(grant) => RefreshAnswer::Granted(grant),
            Err(flaw) => read_tokenless(answer, flaw),
        },
        (401, Some(_)) => RefreshAnswer::Refused,
        (409, Some(_)) if code == Some("rotation_in_progress") => RefreshAnswer::Rotating,
        (409, Some(_)) if code == Some("deadline_passed") => RefreshAnswer::Late,
        (_, failure) => read_other(answer, failure.as_ref().map(|failure| failure.error.as_str())),
    }
}

fn login(call: &LoginCall) -> Option<HttpRequest> {
    match call {
        LoginCall::StartDevice { .. } => Some(HttpRequest::post("/api/cli/auth/device-code", json!({}))),
        LoginCall::PollDevice { device_code, .. } => {
            Some(HttpRequest::post("/api/cli/auth/poll", json!({ "device_code": device_code })))
        }
        LoginCall::Identify { access, .. } => Some(identify(access)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::Exchange { .. }
        | LoginCall::ClientCredentials { .. } => None,
    }
}

fn read_login(call: &LoginCall, answer: &HttpResponse) -> LoginAnswer {
    match call {
        LoginCall::StartDevice { .. } => started(answer),
        LoginCall::PollDevice { .. } => polled(answer),
        LoginCall::Identify { .. } => LoginAnswer::Identified(read_identity(answer)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::Exchange { .. }
        | LoginCall::ClientCredentials { .. } => LoginAnswer::Net(answer.unusable(AnswerFlaw::NeverAsked)),
    }
}

/// The question whose a token is; everkey-server has this route, the original may not.
fn identify(access: &Secret) -> HttpRequest {
    HttpRequest::get("/api/cli/auth/me").auth(Auth::Bearer(access.clone()))
}

/// Reads the answer to it; a token that opens nothing is sent to the front page.
fn read_identity(answer: &HttpResponse) -> Identity {
    #[derive(Deserialize)]
    struct Me {
        user_id: String,
    }
    match answer.status {
        200 => match data::<Me>(answer).and_then(|me| Ok((me, data::<UserDetails>(answer)?))) {
            Ok((Me { user_id }, about)) => {
                let (user, about) = about.split(Some(user_id));
                Identity::Accepted { user, about }
            }
            Err(flaw) => Identity::Net(answer.unusable(flaw)),
        },
        302 if is_front_page(answer) => Identity::Refused,
        401 if failure(answer).is_some() => Identity::Refused,
        404 => Identity::Untold,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        _ => Identity::Net(answer.unexpected()),
    }
}

fn is_front_page(answer: &HttpResponse) -> bool {
    let location = answer.location.as_deref().unwrap_or_default();
    location.strip_prefix(&answer.server).unwrap_or(location) == "/"
}

#[cfg(test)]
mod tests;
