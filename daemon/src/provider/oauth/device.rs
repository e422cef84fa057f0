//! Sign-in by device code (RFC 8628).

use super::client::for_tokens;
use super::error::{error_code, failed, failed_for};
use super::tokens::read_sign_in;
use crate::http::{self, HttpRequest, HttpResponse};
use crate::provider::fields::Quantity;
use everkey_proto::Secret;
use everkey_session::{AnswerFlaw, LoginAnswer, Registration};
use serde::Deserialize;

/// RFC 8628's grant type.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Seconds between two polls where the server says nothing (RFC 8628 section 3.2).
const INTERVAL: u64 = 5;

/// Seconds for which a code is taken to work where the server says nothing that could be.
const CODE_SECS: u64 = 600;

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
    #[serde(default)]
    expires_in: Quantity,
    #[serde(default)]
    interval: Quantity,
}

/// Section 3.2.
pub fn read_start(answer: &HttpResponse) -> LoginAnswer {
    if answer.status != 200 {
        return failed(answer);
    }
    match answer.object::<Started>().and_then(understand) {
        Ok(started) => started,
        Err(flaw) => failed_for(answer, flaw),
    }
}

fn understand(started: Started) -> Result<LoginAnswer, AnswerFlaw> {
    let unsafe_page = |name: &str| AnswerFlaw::unfit(name, "it is no address that is safe to open");
    let named = |name: &str| AnswerFlaw::unfit(name, "it is empty");
    if started.device_code.is_empty() {
        return Err(named("device_code"));
    }
    if started.user_code.trim().is_empty() {
        return Err(named("user_code"));
    }
    let url = started.verification_uri.or(started.verification_url);
    let url = url.ok_or(AnswerFlaw::Missing("verification_uri".to_owned()))?;
    let complete = started.verification_uri_complete.filter(|url| !url.is_empty());
    let complete = complete.map(|url| presentable(&url).ok_or(unsafe_page("verification_uri_complete")));
    Ok(LoginAnswer::DeviceStarted {
        device_code: started.device_code,
        user_code: started.user_code,
        url: presentable(&url).ok_or(unsafe_page("verification_uri"))?,
        complete_url: complete.transpose()?,
        expires_in: started.expires_in.positive().unwrap_or(CODE_SECS),
        interval: started.interval.positive().unwrap_or(INTERVAL),
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
        // The server is in trouble, and the code as good as before.
        (400..=499, Some("server_error" | "temporarily_unavailable")) => {
            LoginAnswer::Net(answer.unexpected())
        }
        (_, _) => read_sign_in(known, None, answer),
    }
}
