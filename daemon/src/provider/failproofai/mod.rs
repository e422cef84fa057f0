//! failproofai's contract: email codes, rotating sessions, and RR-1 where the server offers it.

use super::fields::{Fields, fields, promised, retry_after, sendable, unconsumed, whole};
use super::jwt;
use crate::http::{Answer, Auth, Call};
use crate::object;
use everkey_proto::{Secret, reply::User};
use everkey_session::job::{Identity, LoginAnswer, LoginCall, Probe, Refresh, ReminderAnswer, RevokeAnswer};
use everkey_session::record::{Grant, Holder, Revocation, Session};
use everkey_session::trouble::{NetKind, Rejected};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct SessionFile {
    access_token: Secret,
    refresh_token: Secret,
    access_expires_at: u64,
    refresh_expires_at: Option<u64>,
    user: User,
}

/// An object with something in it and no token at all: perhaps of a newer version of the tool, so not ours to move.
pub fn is_of_another_shape(bytes: &[u8]) -> bool {
    let found = object::read::<Fields>(bytes).unwrap_or_default();
    !found.is_empty() && ["access_token", "refresh_token"].iter().all(|ours| !found.contains_key(*ours))
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
        access_expires_at: Some(file.access_expires_at),
        refresh: Some(file.refresh_token),
        refresh_expires_at: Some(file.refresh_expires_at.unwrap_or(file.access_expires_at)),
        issued_at: None,
        holder: Holder { user: Some(file.user), ..Holder::default() },
    })
}

pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        access_token: &'a Secret,
        refresh_token: Option<&'a Secret>,
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
    let (id, email) = session.holder.user.as_ref().map_or(("", ""), |user| (&user.id, &user.email));
    let file = Written {
        access_token: &session.access,
        refresh_token: session.refresh.as_ref(),
        access_expires_at: session.access_expires_at.unwrap_or_default(),
        refresh_expires_at: session.refresh_expires_at.unwrap_or_default(),
        user: WrittenUser { id, email, others: of_user },
        others,
    };
    Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
}

pub const REFRESH: &str = "/v0/auth/token/refresh";

pub fn refresh(refresh: &Secret) -> Call {
    Call::post(REFRESH, json!({ "refresh_token": refresh }))
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

pub fn login(call: &LoginCall) -> Option<Call> {
    match call {
        LoginCall::RequestCode { email } => {
            Some(Call::post("/v0/auth/login/request", json!({ "email": email })))
        }
        LoginCall::VerifyCode { email, code } => {
            Some(Call::post("/v0/auth/login/verify", json!({ "email": email, "code": code })))
        }
        LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::StartDevice { .. }
        | LoginCall::PollDevice { .. }
        | LoginCall::Exchange { .. }
        | LoginCall::Identify { .. } => None,
    }
}

pub fn identify(access: &Secret) -> Call {
    Call::get("/v0/auth/me").auth(Auth::Bearer(access.clone()))
}

pub fn read_identity(answer: &Answer) -> Identity {
    match answer.status {
        200 => match answer.json::<User>() {
            Some(user) => Identity::Accepted { user: Some(user), about: std::collections::BTreeMap::new() },
            None => Identity::Net(answer.trouble(NetKind::NotTheContract)),
        },
        401 if error_code(answer).is_some() => Identity::Refused,
        404 => Identity::Untold,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        300..=399 => Identity::Net(answer.trouble(NetKind::Redirect)),
        status => Identity::Net(answer.trouble(NetKind::Status(status))),
    }
}

#[derive(Deserialize)]
struct Sent {
    expires_in: Option<serde_json::Number>,
    resend_available_in: Option<serde_json::Number>,
}

fn seconds(number: Option<serde_json::Number>) -> Option<u64> {
    u64::try_from(whole(&number?)).ok()
}

pub fn read_login(call: &LoginCall, answer: &Answer) -> LoginAnswer {
    let code = error_code(answer);
    match (call, answer.status) {
        (LoginCall::RequestCode { .. }, 200) => match answer.json::<Sent>() {
            Some(Sent { expires_in, resend_available_in }) => LoginAnswer::CodeSent {
                expires_in: seconds(expires_in),
                resend_available_in: seconds(resend_available_in),
            },
            None => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
        },
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
            Some(code) => LoginAnswer::Rejected(Rejected::Answered(status, code)),
            None => LoginAnswer::Net(answer.trouble(NetKind::Status(status))),
        },
    }
}

pub fn revoke(revocation: &Revocation) -> Option<Call> {
    let refresh = revocation.refresh.as_ref()?;
    let call = Call::post("/v0/auth/logout", json!({ "refresh_token": refresh }));
    Some(call.auth(Auth::Bearer(revocation.access.clone())))
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

pub fn remind(access: &Secret, due_at: Option<u64>) -> Call {
    const REMINDERS: &str = "/v0/reminders";
    let call = match due_at {
        Some(at) => Call::post(REMINDERS, json!({ "at": at })),
        None => Call::delete(REMINDERS),
    };
    call.auth(Auth::Bearer(access.clone()))
}

pub fn read_reminded(answer: &Answer) -> ReminderAnswer {
    match (answer.status, error_code(answer)) {
        (204, _) => ReminderAnswer::Accepted,
        // A hotel's login page says 200 too.
        (200..=299, _) if answer.is_json() || answer.body.is_empty() => ReminderAnswer::Accepted,
        (200..=299, _) => ReminderAnswer::Net(answer.trouble(NetKind::NotTheContract)),
        (401, Some(_)) => ReminderAnswer::Unauthorized,
        (400 | 404 | 422, Some(_)) => ReminderAnswer::Refused,
        (429, _) => ReminderAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (300..=399, _) => ReminderAnswer::Net(answer.trouble(NetKind::Redirect)),
        (503, _) if retry_after(answer).is_some() => {
            ReminderAnswer::Limited(retry_after(answer).unwrap_or(30))
        }
        (status, _) => ReminderAnswer::Net(answer.trouble(NetKind::Status(status))),
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
        access_expires_in: Some(whole(&tokens.access_expires_in)),
        refresh: Some(tokens.refresh_token),
        refresh_expires_in: Some(whole(&tokens.refresh_expires_in)),
        user: tokens.user,
        about: std::collections::BTreeMap::new(),
        capability: promised(tokens.refresh_retry.as_deref()),
    })
}

/// The error code of either shape: `{code, message}` or `{success: false, code, detail}`.
fn error_code(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Shape {
        code: String,
    }
    answer.json::<Shape>().map(|shape| shape.code)
}

#[cfg(test)]
mod tests;
