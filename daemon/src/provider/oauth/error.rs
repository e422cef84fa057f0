//! What an OAuth server answers when it does not do what it was asked for.

use crate::http::HttpResponse;
use crate::provider::fields::retry_after;
use everkey_session::{AnswerFlaw, LoginAnswer, Rejected};
use serde::Deserialize;

#[derive(Deserialize)]
struct ErrorShape {
    error: String,
}

/// The code of a JSON error to a sign-in (RFC 6749 section 5.2); none if it is not like one.
pub fn error_code(answer: &HttpResponse) -> Option<String> {
    answer.object::<ErrorShape>().ok().and_then(like_a_code)
}

/// The code of an error to a refresh, where only what says that it is JSON counts.
pub fn refresh_error_code(answer: &HttpResponse) -> Option<String> {
    answer.json::<ErrorShape>().and_then(like_a_code)
}

fn like_a_code(ErrorShape { error }: ErrorShape) -> Option<String> {
    let like_one = (1..=64).contains(&error.len()) && error.bytes().all(|b| b.is_ascii_graphic());
    like_one.then_some(error)
}

/// Whether an answer to a refresh refuses the token for good, in the words of RFC 6749 section 5.2 or of the vendors who
/// have their own for it.
pub fn refuses_token(answer: &HttpResponse) -> bool {
    let code = (answer.is_json() || answer.says_form()).then(|| answer.words().code).flatten();
    code.is_some_and(|code| {
        matches!(code.as_str(), "invalid_grant" | "bad_refresh_token") || code.starts_with("refresh_token_")
    })
}

/// What an answer that is not the one hoped for means for a sign-in.
pub fn failed(answer: &HttpResponse) -> LoginAnswer {
    match (answer.status, error_code(answer).as_deref()) {
        (429, _) => LoginAnswer::Limited(retry_after(answer).unwrap_or(30)),
        (300..=399 | 500.., _) => LoginAnswer::Net(answer.unexpected()),
        (_, Some("access_denied")) => LoginAnswer::Rejected(Rejected::Denied),
        (_, Some("expired_token")) => LoginAnswer::Rejected(Rejected::Expired),
        (_, Some(code)) => LoginAnswer::Rejected(Rejected::Other(code.to_owned())),
        (_, None) => LoginAnswer::Net(answer.unexpected()),
    }
}

/// The same where it is known what is wrong with the one that was hoped for.
pub fn failed_for(answer: &HttpResponse, flaw: AnswerFlaw) -> LoginAnswer {
    match (answer.status, failed(answer)) {
        (200..=299, LoginAnswer::Net(_)) => LoginAnswer::Net(answer.unusable(flaw)),
        (_, failed) => failed,
    }
}
