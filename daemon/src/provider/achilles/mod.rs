//! achilles' contract: device codes, and sessions of one organisation whose refresh tokens rotate.

mod file;

pub use file::{parse_session, render_session};

use super::fields::{page, promised, retry_after, sendable, unconsumed, unix_secs, whole};
use super::jwt;
use crate::http::{Answer, Auth, Call};
use everkey_proto::{Secret, reply::User};
use everkey_session::job::{Identity, LoginAnswer, LoginCall, Refresh};
use everkey_session::record::Grant;
use everkey_session::trouble::{NetKind, Rejected};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Where refresh tokens are sent.
pub const REFRESH: &str = "/api/cli/auth/refresh";

/// How long codes work where the answer does not tell, in seconds.
const CODE_SECS: u64 = 600;

/// How long access tokens work where the answer does not tell, in seconds.
const ACCESS_SECS: i64 = 3600;

/// The least pause between two polls where the answer does not tell, in seconds.
const POLL_SECS: u64 = 2;

/// The longest user code that is shown, in bytes.
const LONGEST_USER_CODE: usize = 64;

/// The refresh request.
pub fn refresh(refresh: &Secret) -> Call {
    Call::post(REFRESH, json!({ "refresh_token": refresh }))
}

/// Reads a refresh answer: only 401 with the contract's error is a refusal. Its 429 comes before anything is consumed.
pub fn read_refresh(answer: &Answer) -> Refresh {
    let failure = failure(answer);
    let code = failure.as_ref().and_then(|failure| failure.code.as_deref());
    match (answer.status, &failure) {
        (200, _) => match tokens(answer, false) {
            Some(grant) => Refresh::Granted(grant),
            None => Refresh::Unclear(answer.trouble(NetKind::NotTheContract)),
        },
        (401, Some(_)) => Refresh::Refused,
        (409, Some(_)) if code == Some("rotation_in_progress") => Refresh::Rotating,
        (409, Some(_)) if code == Some("deadline_passed") => Refresh::Late,
        (429, Some(_)) => Refresh::Declined(Some(retry_after(answer).unwrap_or(30))),
        (_, Some(_)) if unconsumed(answer) => Refresh::Declined(retry_after(answer)),
        (429 | 503, _) if retry_after(answer).is_some() => {
            Refresh::Unclear(answer.trouble(NetKind::Limited(retry_after(answer).unwrap_or(0))))
        }
        (status, _) => Refresh::Unclear(answer.trouble(net_kind(status))),
    }
}

/// The calls of a sign-in by device code.
pub fn login(call: &LoginCall) -> Option<Call> {
    match call {
        LoginCall::StartDevice { .. } => Some(Call::post("/api/cli/auth/device-code", json!({}))),
        LoginCall::PollDevice { device_code, .. } => {
            Some(Call::post("/api/cli/auth/poll", json!({ "device_code": device_code })))
        }
        LoginCall::Identify { access, .. } => Some(identify(access)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::Exchange { .. } => None,
    }
}

/// Reads their answers.
pub fn read_login(call: &LoginCall, answer: &Answer) -> LoginAnswer {
    match call {
        LoginCall::StartDevice { .. } => match answer.status {
            200 => device_started(answer)
                .unwrap_or_else(|| LoginAnswer::Net(answer.trouble(NetKind::NotTheContract))),
            _ => refused(answer),
        },
        LoginCall::PollDevice { .. } => polled(answer),
        LoginCall::Identify { .. } => LoginAnswer::Identified(read_identity(answer)),
        LoginCall::RequestCode { .. }
        | LoginCall::VerifyCode { .. }
        | LoginCall::Discover { .. }
        | LoginCall::Register { .. }
        | LoginCall::Exchange { .. } => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
    }
}

/// The question whose a token is; everkey-server has this route, the original may not.
pub fn identify(access: &Secret) -> Call {
    Call::get("/api/cli/auth/me").auth(Auth::Bearer(access.clone()))
}

/// Reads the answer to it; a token that opens nothing is sent to the front page.
pub fn read_identity(answer: &Answer) -> Identity {
    #[derive(Deserialize)]
    struct Me {
        user_id: String,
    }
    match answer.status {
        200 => match data::<Me>(answer).zip(data::<About>(answer)) {
            Some((Me { user_id }, about)) => {
                let (user, about) = about.split(Some(user_id));
                Identity::Accepted { user, about }
            }
            None => Identity::Net(answer.trouble(NetKind::NotTheContract)),
        },
        302 if is_front_page(answer) => Identity::Refused,
        401 if failure(answer).is_some() => Identity::Refused,
        404 => Identity::Untold,
        429 => Identity::Limited(retry_after(answer).unwrap_or(30)),
        status => Identity::Net(answer.trouble(net_kind(status))),
    }
}

fn is_front_page(answer: &Answer) -> bool {
    let location = answer.location.as_deref().unwrap_or_default();
    location.strip_prefix(&answer.server).unwrap_or(location) == "/"
}

fn polled(answer: &Answer) -> LoginAnswer {
    let error = failure(answer).map(|failure| failure.error);
    match (answer.status, error.as_deref()) {
        (200, _) => match tokens(answer, true) {
            Some(grant) => LoginAnswer::Granted(grant),
            None => LoginAnswer::Net(answer.trouble(NetKind::NotTheContract)),
        },
        (202, Some("authorization_pending")) => LoginAnswer::Pending,
        (202, Some("slow_down")) => LoginAnswer::SlowDown,
        (410, Some("access_denied")) => LoginAnswer::Rejected(Rejected::Denied),
        (410, Some(_)) => LoginAnswer::Rejected(Rejected::Expired),
        _ => refused(answer),
    }
}

/// Any other answer to a call of a sign-in.
fn refused(answer: &Answer) -> LoginAnswer {
    match (answer.status, failure(answer)) {
        (429, _) => LoginAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (400..=499, Some(failure)) => LoginAnswer::Rejected(Rejected::Other(failure.error)),
        (status, _) => LoginAnswer::Net(answer.trouble(net_kind(status))),
    }
}

fn device_started(answer: &Answer) -> Option<LoginAnswer> {
    #[derive(Deserialize)]
    struct Codes {
        device_code: Secret,
        user_code: String,
        verification_url: String,
        expires_at: String,
        poll_interval: Option<serde_json::Number>,
    }
    let codes: Codes = data(answer)?;
    let user_code = codes.user_code;
    let typed = (1..=LONGEST_USER_CODE).contains(&user_code.len())
        && user_code.bytes().all(|byte| byte.is_ascii_graphic());
    if !typed || !sendable(&codes.device_code) {
        return None;
    }
    let url = page(&codes.verification_url)?;
    let expires_in = unix_secs(&codes.expires_at).zip(answer.date).map(|(end, now)| end.saturating_sub(now));
    let interval = codes.poll_interval.map(|secs| u64::try_from(whole(&secs)).unwrap_or(0));
    Some(LoginAnswer::DeviceStarted {
        device_code: codes.device_code,
        complete_url: complete(&url, &user_code),
        user_code,
        url,
        expires_in: expires_in.unwrap_or(CODE_SECS),
        interval: interval.unwrap_or(POLL_SECS),
    })
}

/// The address with the code in it, if the server's has a place for it: the original's does, everkey-server's does not.
fn complete(url: &str, user_code: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(url).ok()?;
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (_, code) = query.iter_mut().find(|(name, _)| name == "code" || name == "user_code")?;
    if code.is_empty() {
        code.push_str(user_code);
        url.query_pairs_mut().clear().extend_pairs(&query);
        return Some(url.into());
    }
    (code == user_code).then(|| url.into())
}

/// What is known about a user beside the id; the original leaves out, or writes null, what it does not know.
#[derive(Default, Deserialize)]
struct About {
    email: Option<String>,
    org_id: Option<String>,
    role: Option<String>,
    display_name: Option<String>,
}

impl About {
    /// In the core's words.
    fn split(self, user_id: Option<String>) -> (Option<User>, BTreeMap<String, String>) {
        let user = user_id.map(|id| User { id, email: self.email.unwrap_or_default() });
        let named = [("name", self.display_name), ("org", self.org_id), ("role", self.role)];
        let told = named.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
        (user, told.filter(|(_, text)| !text.is_empty()).collect())
    }
}

/// New tokens; those of a sign-in must say whose they are.
fn tokens(answer: &Answer, of_sign_in: bool) -> Option<Grant> {
    #[derive(Deserialize)]
    struct Tokens {
        access_token: Secret,
        refresh_token: Secret,
        expires_at: String,
        user_id: Option<String>,
        refresh_retry: Option<Box<RawValue>>,
    }
    let (tokens, about): (Tokens, About) = (data(answer)?, data(answer)?);
    if !sendable(&tokens.access_token) || !sendable(&tokens.refresh_token) {
        return None;
    }
    let (user, about) = about.split(tokens.user_id);
    if of_sign_in && user.is_none() {
        return None;
    }
    Some(Grant {
        access_expires_in: Some(lifetime(&tokens.expires_at, &tokens.access_token, answer.date)),
        claims: jwt::claims(&tokens.access_token),
        access: tokens.access_token,
        refresh: Some(tokens.refresh_token),
        refresh_expires_in: None,
        user,
        about,
        capability: promised(tokens.refresh_retry.as_deref()),
    })
}

/// Seconds for which an access token works, by the server's clock alone: ours may be wrong.
fn lifetime(expires_at: &str, access: &Secret, date: Option<u64>) -> i64 {
    let between = |start: u64, end: u64| i64::try_from(end).ok()?.checked_sub(i64::try_from(start).ok()?);
    let told = unix_secs(expires_at).zip(date).and_then(|(end, now)| between(now, end));
    let itself = || {
        let times = jwt::times(access);
        between(times.iat?, times.exp?)
    };
    told.or_else(itself).unwrap_or(ACCESS_SECS)
}

/// What a `{success: true, data}` answer holds.
fn data<T: serde::de::DeserializeOwned>(answer: &Answer) -> Option<T> {
    #[derive(Deserialize)]
    struct Success {
        success: bool,
        data: Box<RawValue>,
    }
    let read: Success = answer.json()?;
    read.success.then(|| crate::object::read(read.data.get().as_bytes())).flatten()
}

/// What a `{success: false, error}` answer says; `code` is everkey-server's, of a refresh that changed nothing.
#[derive(Deserialize)]
struct Failure {
    success: bool,
    error: String,
    code: Option<String>,
}

fn failure(answer: &Answer) -> Option<Failure> {
    answer.json::<Failure>().filter(|failure| !failure.success)
}

fn net_kind(status: u16) -> NetKind {
    match status {
        200..=299 => NetKind::NotTheContract,
        300..=399 => NetKind::Redirect,
        status => NetKind::Status(status),
    }
}

#[cfg(test)]
mod tests;
