//! achilles' sign-in by device code.

use super::envelope::{data, sign_in_failure};
use super::tokens::{NewTokens, tokens};
use crate::http::HttpResponse;
use crate::provider::fields::{Quantity, WrittenTime, page, retry_after, sent_as};
use everkey_proto::Secret;
use everkey_session::{AnswerFlaw, LoginAnswer, Rejected};
use serde::Deserialize;

/// How long codes work where the answer does not tell, in seconds.
const CODE_SECS: u64 = 600;

/// The least pause between two polls where the answer does not tell, in seconds.
const POLL_SECS: u64 = 2;

/// The longest user code that is shown, in bytes.
const LONGEST_USER_CODE: usize = 64;

/// Reads the answer that brings the codes.
pub fn started(answer: &HttpResponse) -> LoginAnswer {
    match answer.status {
        200 => codes(answer).unwrap_or_else(|flaw| LoginAnswer::Net(answer.unusable(flaw))),
        _ => refused(answer),
    }
}

fn codes(answer: &HttpResponse) -> Result<LoginAnswer, AnswerFlaw> {
    #[derive(Deserialize)]
    struct Codes {
        device_code: Secret,
        user_code: String,
        verification_url: String,
        #[serde(default)]
        expires_at: WrittenTime,
        #[serde(default)]
        poll_interval: Quantity,
    }
    let codes: Codes = data(answer)?;
    let user_code = codes.user_code;
    let typed = (1..=LONGEST_USER_CODE).contains(&user_code.len())
        && user_code.bytes().all(|byte| byte.is_ascii_graphic());
    if !typed {
        return Err(AnswerFlaw::unfit("data.user_code", "nobody could type it"));
    }
    sent_as("data.device_code", &codes.device_code)?;
    let url = page(&codes.verification_url);
    let url =
        url.ok_or(AnswerFlaw::unfit("data.verification_url", "it is no address that is safe to open"))?;
    let left = codes.expires_at.unix_secs().zip(answer.date).map(|(end, now)| end.saturating_sub(now));
    Ok(LoginAnswer::DeviceStarted {
        device_code: codes.device_code,
        complete_url: complete(&url, &user_code),
        user_code,
        url,
        // A code that is over before it is shown says that one of two clocks is wrong.
        expires_in: left.filter(|left| *left > 0).unwrap_or(CODE_SECS),
        interval: codes.poll_interval.positive().unwrap_or(POLL_SECS),
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

pub fn polled(answer: &HttpResponse) -> LoginAnswer {
    let error = sign_in_failure(answer).map(|failure| failure.error);
    match (answer.status, error.as_deref()) {
        (200, _) => match tokens(answer, NewTokens::OfLogin) {
            Ok(grant) => LoginAnswer::Granted(grant),
            Err(flaw) => LoginAnswer::Net(answer.unusable(flaw)),
        },
        (202, Some("authorization_pending")) => LoginAnswer::Pending,
        (202, Some("slow_down")) => LoginAnswer::SlowDown,
        (410, Some("access_denied")) => LoginAnswer::Rejected(Rejected::Denied),
        (410, Some(_)) => LoginAnswer::Rejected(Rejected::Expired),
        _ => refused(answer),
    }
}

/// Any other answer to a call of a sign-in.
fn refused(answer: &HttpResponse) -> LoginAnswer {
    match (answer.status, sign_in_failure(answer)) {
        (429, _) => LoginAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (400..=499, Some(failure)) => LoginAnswer::Rejected(Rejected::Other(failure.error)),
        _ => LoginAnswer::Net(answer.unexpected()),
    }
}
