//! failproofai's contract: email codes, rotating sessions, and RR-1 where the server offers it.

use super::jwt;
use crate::http::{Answer, Auth, Call};
use crate::object;
use everkey_proto::{Secret, reply::User};
use everkey_session::event::{LoginAnswer, LoginCall, Probe, Refresh, RevokeAnswer};
use everkey_session::record::{Capability, Grant, Revocation, Session};
use everkey_session::trouble::{NetKind, Rejected};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct SessionFile {
    access_token: Secret,
    refresh_token: Secret,
    access_expires_at: u64,
    refresh_expires_at: Option<u64>,
    user: User,
}

/// A missing `refresh_expires_at` counts as `access_expires_at`; any other missing or mistyped field as no session.
pub fn parse_session(bytes: &[u8]) -> Option<Session> {
    let file: SessionFile = object::read(bytes)?;
    if !sendable(&file.access_token) || !sendable(&file.refresh_token) {
        return None;
    }
    Some(Session {
        claims: jwt::claims(&file.access_token),
        access: file.access_token,
        access_expires_at: file.access_expires_at,
        refresh: file.refresh_token,
        refresh_expires_at: file.refresh_expires_at.unwrap_or(file.access_expires_at),
        user: file.user,
    })
}

/// Fields as they are written, so that what everkey can't represent survives too.
type Fields = BTreeMap<String, Box<RawValue>>;

pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        access_token: &'a Secret,
        refresh_token: &'a Secret,
        access_expires_at: u64,
        refresh_expires_at: u64,
        user: WrittenUser<'a>,
        #[serde(flatten)]
        others: Fields,
    }
    #[derive(Serialize)]
    struct WrittenUser<'a> {
        id: &'a str,
        email: &'a str,
        #[serde(flatten)]
        others: Fields,
    }
    let mut others = fields(&String::from_utf8_lossy(old.unwrap_or_default()));
    let mut of_user = others.remove("user").map(|user| fields(user.get())).unwrap_or_default();
    for ours in ["access_token", "refresh_token", "access_expires_at", "refresh_expires_at"] {
        others.remove(ours);
    }
    for ours in ["id", "email"] {
        of_user.remove(ours);
    }
    let file = Written {
        access_token: &session.access,
        refresh_token: &session.refresh,
        access_expires_at: session.access_expires_at,
        refresh_expires_at: session.refresh_expires_at,
        user: WrittenUser { id: &session.user.id, email: &session.user.email, others: of_user },
        others,
    };
    Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
}

fn fields(json: &str) -> Fields {
    serde_json::from_str(json).unwrap_or_default()
}

pub fn refresh(refresh: &Secret, key: &Secret, deadline: u64) -> Call {
    Call::post("/v0/auth/token/refresh", json!({ "refresh_token": refresh }))
        .secret_header("idempotency-key", key)
        .header("x-request-deadline", deadline.to_string())
}

pub fn read_refresh(answer: &Answer) -> Refresh {
    match (answer.status, error_code(answer).as_deref()) {
        (200, _) => match read_grant(answer) {
            Some(grant) => Refresh::Granted(grant),
            None => Refresh::Unclear(answer.trouble(NetKind::NotTheContract)),
        },
        (401, Some("unauthorized" | "invalid_grant")) => Refresh::Refused,
        (409, Some("rotation_in_progress")) => Refresh::Rotating,
        (409, Some("deadline_passed")) => Refresh::Late,
        (429, Some("rate_limited")) => Refresh::Declined(Some(retry_after(answer).unwrap_or(30))),
        (_, Some(_)) if unconsumed(answer) => Refresh::Declined(retry_after(answer)),
        (429 | 503, _) if retry_after(answer).is_some() => {
            Refresh::Unclear(answer.trouble(NetKind::Limited(retry_after(answer).unwrap_or(0))))
        }
        (300..=399, _) => Refresh::Unclear(answer.trouble(NetKind::Redirect)),
        (status, _) => Refresh::Unclear(answer.trouble(NetKind::Status(status))),
    }
}

pub fn probe(access: &Secret) -> Call {
    Call::get("/v0/auth/session").auth(Auth::Bearer(access.clone()))
}

pub fn read_probe(answer: &Answer) -> Probe {
    #[derive(Deserialize)]
    struct Route {
        generation: u64,
    }
    match answer.status {
        200 => match answer.json::<Route>() {
            Some(route) => Probe::Generation(route.generation),
            None => Probe::Unclear(answer.trouble(NetKind::NotTheContract)),
        },
        401 if error_code(answer).is_some() => Probe::Refused,
        404 => Probe::NoRoute,
        status => Probe::Unclear(answer.trouble(NetKind::Status(status))),
    }
}

pub fn login(call: &LoginCall) -> Call {
    match call {
        LoginCall::RequestCode { email } => Call::post("/v0/auth/login/request", json!({ "email": email })),
        LoginCall::VerifyCode { email, code } => {
            Call::post("/v0/auth/login/verify", json!({ "email": email, "code": code }))
        }
    }
}

#[derive(Deserialize)]
struct AnyObject {}

pub fn read_login(call: &LoginCall, answer: &Answer) -> LoginAnswer {
    let code = error_code(answer);
    match (call, answer.status) {
        (LoginCall::RequestCode { .. }, 200) if answer.json::<AnyObject>().is_some() => LoginAnswer::CodeSent,
        (LoginCall::VerifyCode { .. }, 200) => {
            match read_grant(answer).filter(|grant| grant.user.is_some()) {
                Some(grant) => LoginAnswer::Granted(grant),
                None => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
            }
        }
        (LoginCall::RequestCode { .. }, 400 | 422) if code.is_some() => {
            LoginAnswer::Rejected(Rejected::Email)
        }
        (LoginCall::VerifyCode { .. }, 400 | 401) if code.is_some() => LoginAnswer::Rejected(Rejected::Code),
        (_, 429) => LoginAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (_, 300..=399) => LoginAnswer::Net(answer.trouble(NetKind::Redirect)),
        (_, 200..=299) => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
        (_, 500..) => LoginAnswer::Net(answer.trouble(NetKind::Status(answer.status))),
        (_, status) => match code {
            Some(code) => LoginAnswer::Rejected(Rejected::Other(code)),
            None => LoginAnswer::Net(answer.trouble(NetKind::Status(status))),
        },
    }
}

pub fn revoke(revocation: &Revocation) -> Call {
    Call::post("/v0/auth/logout", json!({ "refresh_token": revocation.refresh }))
        .auth(Auth::Bearer(revocation.access.clone()))
}

pub fn read_revoke(answer: &Answer) -> RevokeAnswer {
    match (answer.status, error_code(answer)) {
        (204, _) => RevokeAnswer::Confirmed,
        (200, _) if answer.is_json() => RevokeAnswer::Confirmed,
        (401, Some(_)) => RevokeAnswer::Refused,
        (300..=399, _) => RevokeAnswer::Net(answer.trouble(NetKind::Redirect)),
        (status, _) => RevokeAnswer::Net(answer.trouble(NetKind::Status(status))),
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token_type: String,
    access_token: Secret,
    access_expires_in: serde_json::Number,
    refresh_token: Secret,
    refresh_expires_in: serde_json::Number,
    user: Option<User>,
    refresh_retry: Option<Box<RawValue>>,
}

fn read_grant(answer: &Answer) -> Option<Grant> {
    let tokens: TokenAnswer = answer.json()?;
    let bearer = tokens.token_type.eq_ignore_ascii_case("bearer");
    if !bearer || !sendable(&tokens.access_token) || !sendable(&tokens.refresh_token) {
        return None;
    }
    Some(Grant {
        claims: jwt::claims(&tokens.access_token),
        access: tokens.access_token,
        access_expires_in: whole(&tokens.access_expires_in),
        refresh: tokens.refresh_token,
        refresh_expires_in: whole(&tokens.refresh_expires_in),
        user: tokens.user,
        capability: tokens.refresh_retry.map_or(Capability::None, |retry| promised(&retry)),
    })
}

/// What version 1 of the promise says. Any other version promises nothing that could be relied on.
fn promised(retry: &RawValue) -> Capability {
    #[derive(Deserialize)]
    struct Promise {
        v: u64,
        until: String,
    }
    match object::read(retry.get().as_bytes()) {
        Some(Promise { v: 1, until }) if until == "used" => Capability::Rr1,
        Some(Promise { v: 1, until }) if until == "probe" => Capability::Probe,
        Some(_) | None => Capability::None,
    }
}

/// Seconds as a whole number, whatever kind of number the server wrote.
fn whole(number: &serde_json::Number) -> i64 {
    #[allow(clippy::cast_possible_truncation)] // `as` saturates, which is what absurd numbers shall do
    number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as i64)
}

/// A token that can stand in a header and on a line.
fn sendable(token: &Secret) -> bool {
    !token.is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic())
}

/// The error code of either shape: `{code, message}` or `{success: false, code, detail}`.
fn error_code(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Shape {
        code: String,
    }
    answer.json::<Shape>().map(|shape| shape.code)
}

/// RR-1: the server says that this attempt changed nothing.
fn unconsumed(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        attempt_consumed: bool,
    }
    answer.json::<Shape>().is_some_and(|shape| !shape.attempt_consumed)
}

/// Seconds to wait: `retry_after_secs` in the body wins over a numeric header; clamped to a day.
fn retry_after(answer: &Answer) -> Option<u64> {
    #[derive(Deserialize)]
    struct Shape {
        retry_after_secs: f64,
    }
    let body = answer.json::<Shape>().map(|shape| shape.retry_after_secs);
    let header = || answer.retry_after.as_deref().and_then(|text| text.trim().parse::<f64>().ok());
    let secs = body.or_else(header).filter(|secs| !secs.is_nan())?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=86400
    Some(secs.clamp(0.0, 86_400.0).ceil() as u64)
}

#[cfg(test)]
mod tests;
