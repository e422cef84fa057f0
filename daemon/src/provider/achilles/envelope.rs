//! The shape around every answer of achilles.

use crate::http::HttpResponse;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a `{success: true, data}` answer holds.
pub fn data<T: serde::de::DeserializeOwned>(answer: &HttpResponse) -> Option<T> {
    #[derive(Deserialize)]
    struct Success {
        success: bool,
        data: Box<RawValue>,
    }
    let read: Success = answer.json()?;
    read.success.then(|| crate::json_object::read(read.data.get().as_bytes())).flatten()
}

/// What a `{success: false, error}` answer says; `code` is everkey-server's, of a refresh that changed nothing.
#[derive(Deserialize)]
pub struct ErrorEnvelope {
    success: bool,
    pub error: String,
    pub code: Option<String>,
}

pub fn failure(answer: &HttpResponse) -> Option<ErrorEnvelope> {
    answer.json::<ErrorEnvelope>().filter(|failure| !failure.success)
}
