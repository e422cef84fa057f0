//! What a server says about time: how long to wait (N15), and what its clock shows.

use super::answers::{A_DAY, read_refresh};
use crate::{measure, reach};
use everkey_config::ProviderKind;
use everkey_daemon::http::{self, HttpResponse};
use everkey_daemon::provider::{Descriptor, descriptor};
use everkey_proto::Secret;
use everkey_session::{LoginAnswer, LoginCall, NetErrorKind, RefreshAnswer};
use zeroize::Zeroizing;

const PROVIDER: &Descriptor = descriptor(ProviderKind::Failproofai);

/// The input as the `Retry-After` header, and as the body's `retry_after_secs`.
pub fn retry_after(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let in_header = |status| wait(status, Some(text.to_string()), "{}");
    let in_body =
        |status| wait(status, None, &format!(r#"{{"code":"rate_limited","retry_after_secs":{text}}}"#));
    for read in [in_header(429), in_header(503), in_body(429), in_body(503)] {
        let Some(wait) = read else { continue };
        reach::deep();
        assert!(wait <= A_DAY, "N15: {wait}");
        if let Ok(asked) = text.trim().parse::<u64>() {
            assert_eq!(wait, asked.min(A_DAY), "not as the server asked");
        }
        if text.trim().starts_with('-') && text.trim().parse::<f64>().is_ok_and(|secs| secs.is_finite()) {
            assert_eq!(wait, 0, "a wait for the past");
        }
    }
}

/// The input as a `Date` header: a time that is written again as it was read, or none; and as seconds to be told.
pub fn http_date(input: &[u8]) {
    if let Some((secs, _)) = input.split_first_chunk::<4>() {
        let secs = u32::from_le_bytes(*secs).into();
        assert_eq!(http::http_date(&told(secs)), Some(secs), "not the server's time");
    }
    let text = String::from_utf8_lossy(input);
    let Some(secs) = measure::json(text.len(), || http::http_date(&text)) else { return };
    reach::deep();
    assert_eq!(http::http_date(&told(secs)), Some(secs), "not written as it was read");
}

/// As a server tells the time.
fn told(secs: u64) -> String {
    let time = i64::try_from(secs).ok().and_then(|secs| jiff::Timestamp::from_second(secs).ok());
    time.map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap_or_default()
}

/// How long the agent would wait; 30 s is what it waits when it is not told.
fn wait(status: u16, retry_after: Option<String>, body: &str) -> Option<u64> {
    let answer = HttpResponse {
        server: "https://a".to_owned(),
        status,
        date: None,
        received: None,
        retry_after,
        location: None,
        proxy_status: None,
        content_type: Some("application/json".to_owned()),
        body: Zeroizing::new(body.as_bytes().to_vec()),
    };
    let call = LoginCall::VerifyCode {
        email: "e@x".into(),
        code: Secret::new("123456"),
        request_id: None,
        second_factor: None,
    };
    let told = match read_refresh(PROVIDER, &answer) {
        RefreshAnswer::Declined(trouble) | RefreshAnswer::Unclear(trouble) => match trouble.kind {
            NetErrorKind::Limited(wait) => Some(wait),
            _ => None,
        },
        RefreshAnswer::Granted(_)
        | RefreshAnswer::Foreign
        | RefreshAnswer::Refused
        | RefreshAnswer::RefusedInWords(_)
        | RefreshAnswer::Rotating
        | RefreshAnswer::Late => None,
    };
    if let LoginAnswer::Limited(wait) = (PROVIDER.login.read)(&call, &answer) {
        assert_eq!(wait, told.unwrap_or(30), "sign-in and refresh read it differently");
    }
    // A body that is no JSON says nothing; the 30 s are then ours.
    told.filter(|_| serde_json::from_str::<serde_json::Value>(body).is_ok())
}
