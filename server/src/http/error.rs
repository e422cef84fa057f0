//! Errors as the contract shapes them: JSON with a stable `code` and a sentence for people.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<Duration>,
    attempt_unconsumed: bool,
}

/// Why a request was not carried out.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// A stable word for programs.
    code: &'static str,
    /// A sentence for people.
    message: String,
    /// How long to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_secs: Option<u64>,
    /// False when this attempt is known to have changed nothing (RR-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    attempt_consumed: Option<bool>,
}

impl ApiError {
    /// An error with this status and code. The message is for people and must repeat nothing they sent.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, attempt_unconsumed: false }
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    /// 400 `validation_error`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation_error", message)
    }

    /// 401 `unauthorized`.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The access token is missing, expired or revoked.",
        )
    }

    /// 429 `rate_limited`.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let secs = whole_secs(retry_after);
        let message = format!("Too many requests. Try again in {secs} seconds.");
        let retry_after = Some(Duration::from_secs(secs));
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message) }
    }

    /// 404 `not_found`.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here.")
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How many seconds to wait before trying again, for `Retry-After`.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after.map(whole_secs)
    }

    /// 503 `unavailable`: nothing was changed.
    pub fn busy() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment.")
        }
    }

    /// The code, if this error says that the attempt changed nothing (RR-1).
    pub fn unconsumed(&self) -> Option<&'static str> {
        self.attempt_unconsumed.then_some(self.code)
    }

    /// Says in 409, 429 and 503 answers that this attempt changed nothing (RR-1).
    pub fn leaving_attempt_unconsumed(mut self) -> Self {
        self.attempt_unconsumed = matches!(
            self.status,
            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after_secs = self.retry_after.map(whole_secs);
        let body = ErrorBody {
            code: self.code,
            message: self.message.clone(),
            retry_after_secs,
            attempt_consumed: self.attempt_unconsumed.then_some(false),
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(secs) = retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Left for whoever shows it in another shape.
        response.extensions_mut().insert(self);
        response
    }
}

/// Rounded up: a client that waits this long is not turned away again for a fraction of a second.
fn whole_secs(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(whole_secs(Duration::from_millis(1)), 1);
        assert_eq!(whole_secs(Duration::from_secs(30)), 30);
        assert_eq!(whole_secs(Duration::ZERO), 0);
    }
}
