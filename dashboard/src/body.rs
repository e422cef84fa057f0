//! Reading a request's body: a JSON object, small, and soon. Errors never echo it: it may hold a secret.

use crate::problem::Problem;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The largest body, in bytes.
pub const CAP: usize = 16 * 1024;

/// How long a body may take to come.
const SLOWEST: Duration = Duration::from_secs(10);

/// A body that is a JSON object, read as `T`; none at all is an empty object.
pub struct Fields<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if length(request.headers()).is_some_and(|length| length > CAP) {
            return Err(too_large());
        }
        let read = tokio::time::timeout(SLOWEST, to_bytes(request.into_body(), CAP)).await;
        let body = read.map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The request did not come to its end.")
        })?;
        let body = body.map_err(|_| too_large())?;
        let text = body.trim_ascii();
        let text = if text.is_empty() { b"{}" } else { text };
        if !text.starts_with(b"{") {
            return Err(Problem::invalid("The body must be a JSON object."));
        }
        let fields = serde_json::from_slice(text).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => "has a field of the wrong type",
                _ => "is not JSON",
            };
            Problem::invalid(format!("The body {what} (column {}).", error.column()))
        })?;
        Ok(Self(fields))
    }
}

/// Whether a request with a body says that it is JSON.
pub fn is_json_or_none(headers: &HeaderMap) -> bool {
    let none = length(headers).unwrap_or(0) == 0 && !headers.contains_key(header::TRANSFER_ENCODING);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    none || kind.eq_ignore_ascii_case("application/json")
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> Problem {
    let message = format!("The body is larger than {} KiB, or was cut off.", CAP / 1024);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}
