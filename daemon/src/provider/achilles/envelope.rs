//! The shape around every answer of achilles.

use crate::http::HttpResponse;
use everkey_session::AnswerFlaw;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a `{success: true, data}` answer holds.
pub fn data<T: serde::de::DeserializeOwned>(answer: &HttpResponse) -> Result<T, AnswerFlaw> {
    #[derive(Deserialize)]
    struct Success {
        success: bool,
        data: Box<RawValue>,
    }
    let read: Success = answer.object()?;
    if !read.success {
        return Err(AnswerFlaw::unfit("success", "it is not `true`"));
    }
    let within = |name: String| format!("data.{name}");
    crate::json_object::parse(read.data.get().as_bytes()).map_err(|flaw| match flaw {
        AnswerFlaw::Missing(name) => AnswerFlaw::Missing(within(name)),
        AnswerFlaw::WrongKind(name) => AnswerFlaw::WrongKind(within(name)),
        AnswerFlaw::Unfit(name, why) => AnswerFlaw::Unfit(within(name), why),
        _ => AnswerFlaw::WrongKind("data".to_owned()),
    })
}

/// What a `{success: false, error}` answer says; `code` is everkey-server's, of a refresh that changed nothing.
#[derive(Deserialize)]
pub struct ErrorEnvelope {
    success: bool,
    pub error: String,
    pub code: Option<String>,
}

/// An error that counts as a refusal.
pub fn failure(answer: &HttpResponse) -> Option<ErrorEnvelope> {
    answer.json::<ErrorEnvelope>().filter(|failure| !failure.success)
}

/// An error to a sign-in, which ends no session.
pub fn sign_in_failure(answer: &HttpResponse) -> Option<ErrorEnvelope> {
    answer.object::<ErrorEnvelope>().ok().filter(|failure| !failure.success)
}
