//! Sign-in by device code (RFC 8628).

use super::client::for_tokens;
use super::error::{error_code, failed};
use super::tokens::read_sign_in;
use crate::http::{self, HttpRequest, HttpResponse};
use everkey_proto::Secret;
use everkey_session::{LoginAnswer, NetErrorKind, Registration};
use serde::Deserialize;

/// RFC 8628's grant type.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Seconds between two polls where the server says nothing (RFC 8628 section 3.2).
const INTERVAL: u64 = 5;

/// Section 3.1; none without a device authorization endpoint.
pub fn start(known: &Registration, scope: Option<&str>) -> Option<HttpRequest> {
    let mut fields: Vec<_> = scope.map(|scope| ("scope", scope)).into_iter().collect();
    // OpenID Connect Core, 11: without it, refresh tokens are not meant; whoever does not know it ignores it.
    if scope.is_some_and(|scope| scope.split(' ').any(|one| one == "offline_access")) {
        fields.push(("prompt", "consent"));
    }
    Some(for_tokens(known, known.endpoints.device_authorization.as_ref()?, &fields))
}

#[derive(Deserialize)]
struct Started {
    device_code: Secret,
    user_code: String,
    verification_uri: Option<String>,
    /// As some called it before it was a standard.
    verification_url: Option<String>,
    verification_uri_complete: Option<String>,
    expires_in: f64,
    interval: Option<f64>,
}

/// Section 3.2.
pub fn read_start(answer: &HttpResponse) -> LoginAnswer {
    if answer.status != 200 {
        return failed(answer);
    }
    match answer.json::<Started>().and_then(understand) {
        Some(started) => started,
        None => LoginAnswer::Net(answer.error(NetErrorKind::NotTheContract)),
    }
}

fn understand(started: Started) -> Option<LoginAnswer> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
    let secs = |secs: f64| secs.ceil() as u64;
    let complete = started.verification_uri_complete.filter(|url| !url.is_empty());
    let coded = !started.device_code.is_empty() && !started.user_code.trim().is_empty();
    Some(LoginAnswer::DeviceStarted {
        device_code: Some(started.device_code).filter(|_| coded)?,
        user_code: started.user_code,
        url: presentable(&started.verification_uri.or(started.verification_url)?)?,
        complete_url: complete.map(|url| presentable(&url).ok_or(())).transpose().ok()?,
        expires_in: secs(started.expires_in),
        interval: started.interval.map_or(INTERVAL, secs),
    })
}

/// An address that is shown to people and opened in browsers: https, or http to this very machine.
fn presentable(url: &str) -> Option<String> {
    let base = url.split('#').next().unwrap_or_default();
    let visible = url.bytes().all(|b| b.is_ascii_graphic());
    (visible && http::endpoint(base).is_ok()).then(|| url.to_owned())
}

/// Section 3.4.
pub fn poll(known: &Registration, device_code: &Secret) -> HttpRequest {
    let fields = [("grant_type", DEVICE_CODE), ("device_code", device_code.expose())];
    for_tokens(known, &known.endpoints.token, &fields)
}

/// Section 3.5. The code counts more than the status, which some servers choose themselves.
pub fn read_poll(known: Option<&Registration>, answer: &HttpResponse) -> LoginAnswer {
    match (answer.status, error_code(answer).as_deref()) {
        (200..=499, Some("authorization_pending")) => LoginAnswer::Pending,
        (200..=499, Some("slow_down")) => LoginAnswer::SlowDown,
        (_, _) => read_sign_in(known, None, answer),
    }
}
