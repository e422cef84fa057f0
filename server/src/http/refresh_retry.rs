//! RR-1 on the wire: the request's headers, and what an answer promises.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::rules::rotation::RetryMode;
use crate::time::Timestamp;
use crate::tokens::refresh::IdempotencyKey;

/// What a client may do when the answer to a refresh is lost (RR-1).
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct RefreshRetry {
    v: u32,
    /// `used`: the same request with the same `Idempotency-Key` gets the same answer until that was used; `probe`: never,
    /// but the session route tells whether the refresh happened.
    #[schema(pattern = "^(used|probe)$")]
    until: &'static str,
}

impl From<RetryMode> for RefreshRetry {
    fn from(mode: RetryMode) -> Self {
        let until = match mode {
            RetryMode::Rr1 => "used",
            RetryMode::Strict => "probe",
        };
        Self { v: 1, until }
    }
}

/// What a client says about repeating its request.
#[derive(Debug)]
pub struct RetryHeaders {
    /// `Idempotency-Key`.
    pub key: Option<IdempotencyKey>,
    /// `X-Request-Deadline`, unix seconds by the server's clock.
    pub deadline: Option<Timestamp>,
}

impl<S: Sync> FromRequestParts<S> for RetryHeaders {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let key = single(&parts.headers, "idempotency-key")?.map(IdempotencyKey::parse).transpose();
        let deadline = single(&parts.headers, "x-request-deadline")?.map(unix_secs).transpose()?;
        Ok(Self { key: key.map_err(|error| ApiError::validation(error.to_string()))?, deadline })
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(ApiError::validation(format!("{name} must be visible ASCII."))),
        },
        (Some(_), Some(_)) => Err(ApiError::validation(format!("{name} must be given once."))),
    }
}

fn unix_secs(text: &str) -> Result<Timestamp, ApiError> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let secs = if digits { text.parse().ok() } else { None };
    secs.map(Timestamp::from_secs)
        .ok_or_else(|| ApiError::validation("X-Request-Deadline must be a time in unix seconds."))
}
