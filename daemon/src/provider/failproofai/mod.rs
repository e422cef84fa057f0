//! failproofai's contract: email codes, rotating sessions, and RR-1 where the server offers it.

mod file;

use super::descriptor::{Descriptor, LoginRoutes, ProviderRoute, RefreshRoute, RenewalRoute, SessionFormat};
use super::fields::{
    Quantity, bearer, busy, error_code, promised, retry_after, sendable, sent_as, sign_in_error_code,
};
use super::proof::{read_other, read_tokenless};
use super::{jwt, session_route};
use crate::http::{Auth, HttpRequest, HttpResponse};
use everkey_config::ProviderKind;
use everkey_proto::{ReplayRule, Secret, reply::User};
use everkey_reminder::ReminderAnswer;
use everkey_session::{
    AnswerFlaw, Identity, LoginAnswer, LoginCall, PendingRevocation, RefreshAnswer, Rejected, RevokeAnswer,
    TokenResponse,
};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: ProviderKind::Failproofai,
    tool_names_server: false,
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
        margin_secs: 60,
        replay: ReplayRule::StrictUser,
    }),
    access_ends_with_session: true,
    probe: Some(ProviderRoute { request: session_route::request, read: session_route::read }),
    identify: Some(ProviderRoute { request: |_, access| Some(identify(access)), read: read_identity }),
    tool_status: None,
    revoke: Some(ProviderRoute { request: revoke, read: read_revoke }),
    find_revocation: None,
    remind: Some(ProviderRoute { request: remind, read: read_reminded }),
};

const REFRESH: &str = "/v0/auth/token/refresh";

fn refresh(refresh: &Secret) -> HttpRequest {
    HttpRequest::post(REFRESH, json!({ "refresh_token": refresh }))
}

fn read_refresh(answer: &HttpResponse) -> RefreshAnswer {
    match (answer.status, error_code(answer).as_deref()) {
        (200, _) => match read_grant(answer) {
            Ok(grant) => RefreshAnswer::Granted(grant),
            Err(flaw) => read_tokenless(answer, flaw),
        },
        (401, Some("unauthorized" | "invalid_grant")) => RefreshAnswer::Refused,
        (409, Some("rotation_in_progress")) => RefreshAnswer::Rotating,
        (409, Some("deadline_passed")) => RefreshAnswer::Late,
        (_, code) => read_other(answer, code),
    }
}

fn login(call: &LoginCall) -> Option<HttpRequest> {
    match call {
        LoginCall::RequestCode { email } => {
            Some(HttpRequest::post("/v0/auth/login/request", json!({ "email": email })))
        }
        LoginCall::VerifyCode { email, code, request_id, second_factor } => {
            let mut body = json!({ "email": email, "code": code });
            if let Some(id) = request_id {
                body["request_id"] = json!(id);
            }
            if let Some(answer) = second_factor {
                body["second_factor"] = json!(answer);
            }
            Some(HttpRequest::post("/v0/auth/login/verify", body))
        }
        LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Exchange { .. }
        | LoginCall::ClientCredentials { .. }
        | LoginCall::Identify { .. } => None,
    }
}

fn identify(access: &Secret) -> HttpRequest {
    HttpRequest::get("/v0/auth/me").auth(Auth::Bearer(access.clone()))
}

fn read_identity(answer: &HttpResponse) -> Identity {
    match answer.status {
        200 => match answer.object::<User>() {
            Ok(user) => Identity::Accepted { user: Some(user), about: std::collections::BTreeMap::new() },
            Err(flaw) => Identity::Net(answer.unusable(flaw)),
        },
        401 if error_code(answer).is_some() => Identity::Refused,
        404 => Identity::Untold,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        _ => Identity::Net(answer.unexpected()),
    }
}

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    expires_in: Quantity,
    #[serde(default)]
    resend_available_in: Quantity,
    request_id: Option<Box<RawValue>>,
}

/// The longest name of a request that is sent along.
const LONGEST_ID: usize = 256;

/// What can't be read or sent is as good as not said.
fn request_id(written: Option<&RawValue>) -> Option<Secret> {
    let id: Secret = serde_json::from_str(written?.get()).ok()?;
    (sendable(&id) && id.expose().len() <= LONGEST_ID).then_some(id)
}

fn read_login(call: &LoginCall, answer: &HttpResponse) -> LoginAnswer {
    let code = sign_in_error_code(answer);
    match (call, answer.status) {
        (LoginCall::RequestCode { .. }, 200) => match answer.object::<Sent>() {
            Ok(sent) => LoginAnswer::CodeSent {
                expires_in: sent.expires_in.positive(),
                resend_available_in: sent.resend_available_in.wait(),
                request_id: request_id(sent.request_id.as_deref()),
            },
            Err(flaw) => LoginAnswer::Net(answer.unusable(flaw)),
        },
        (LoginCall::VerifyCode { .. }, 200) => match read_grant(answer) {
            Ok(grant) if grant.user.is_some() => LoginAnswer::Granted(grant),
            Ok(_) => LoginAnswer::Net(answer.unusable(AnswerFlaw::Missing("user".to_owned()))),
            Err(flaw) => LoginAnswer::Net(answer.unusable(flaw)),
        },
        (LoginCall::RequestCode { .. }, 400 | 422) if code.is_some() => {
            LoginAnswer::Rejected(Rejected::Email)
        }
        (LoginCall::VerifyCode { .. }, 400 | 401) if code.is_some() => LoginAnswer::Rejected(Rejected::Code),
        (LoginCall::VerifyCode { .. }, 403) if code.as_deref() == Some("second_factor_required") => {
            LoginAnswer::SecondFactorAsked
        }
        (LoginCall::VerifyCode { .. }, 403) if code.as_deref() == Some("second_factor_rejected") => {
            LoginAnswer::Rejected(Rejected::SecondFactor)
        }
        (_, 429) => LoginAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (_, 200..=399 | 500..) => LoginAnswer::Net(answer.unexpected()),
        (_, status) => match code {
            Some(code) => LoginAnswer::Rejected(Rejected::Answered(status, code)),
            None => LoginAnswer::Net(answer.unexpected()),
        },
    }
}

fn revoke(revocation: &PendingRevocation) -> Option<HttpRequest> {
    let refresh = revocation.refresh.as_ref()?;
    let call = HttpRequest::post("/v0/auth/logout", json!({ "refresh_token": refresh }));
    Some(call.auth(Auth::Bearer(revocation.access.clone())))
}

fn read_revoke(answer: &HttpResponse) -> RevokeAnswer {
    match (answer.status, error_code(answer)) {
        (204, _) => RevokeAnswer::Confirmed,
        (200, _) if answer.is_json() => RevokeAnswer::Confirmed,
        (401, Some(_)) => RevokeAnswer::Refused,
        _ => RevokeAnswer::Net(busy(answer)),
    }
}

fn remind(access: &Secret, due_at: Option<u64>) -> HttpRequest {
    const REMINDERS: &str = "/v0/reminders";
    let call = match due_at {
        Some(at) => HttpRequest::post(REMINDERS, json!({ "at": at })),
        None => HttpRequest::delete(REMINDERS),
    };
    call.auth(Auth::Bearer(access.clone()))
}

fn read_reminded(answer: &HttpResponse) -> ReminderAnswer {
    match (answer.status, error_code(answer)) {
        (204, _) => ReminderAnswer::Accepted,
        // A hotel's login page says 200 too.
        (200..=299, _) if answer.is_json() || answer.body.is_empty() => ReminderAnswer::Accepted,
        (401, Some(_)) => ReminderAnswer::Unauthorized,
        (400 | 404 | 422, Some(_)) => ReminderAnswer::Refused,
        (429, _) => ReminderAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (503, _) if retry_after(answer).is_some() => {
            ReminderAnswer::Limited(retry_after(answer).unwrap_or(30))
        }
        _ => ReminderAnswer::Net(answer.unexpected()),
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token_type: String,
    access_token: Secret,
    #[serde(default)]
    access_expires_in: Quantity,
    refresh_token: Secret,
    #[serde(default)]
    refresh_expires_in: Quantity,
    user: Option<User>,
    refresh_retry: Option<Box<RawValue>>,
}

/// How long access tokens work where neither the answer nor the token tells, in seconds.
const ACCESS_SECS: i64 = 3600;

fn read_grant(answer: &HttpResponse) -> Result<TokenResponse, AnswerFlaw> {
    let tokens: TokenAnswer = answer.object()?;
    bearer(&tokens.token_type)?;
    sent_as("access_token", &tokens.access_token)?;
    sent_as("refresh_token", &tokens.refresh_token)?;
    let itself = || jwt::times(&tokens.access_token).lifetime();
    let access = tokens.access_expires_in.whole().or_else(itself).unwrap_or(ACCESS_SECS);
    Ok(TokenResponse {
        claims: jwt::claims(&tokens.access_token),
        access: tokens.access_token,
        access_expires_in: Some(access),
        refresh: Some(tokens.refresh_token),
        // As in the session file.
        refresh_expires_in: Some(tokens.refresh_expires_in.whole().unwrap_or(access)),
        sign_in_expires_in: None,
        user: tokens.user,
        about: std::collections::BTreeMap::new(),
        capability: promised(tokens.refresh_retry.as_deref()),
    })
}

#[cfg(test)]
mod tests;
