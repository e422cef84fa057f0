//! Errors as OAuth shapes them: `error` and `error_description` (RFC 6749 section 5.2). What everkey's own clients know
//! from its other routes stays beside them: `code`, `retry_after_secs` and RR-1's `attempt_consumed`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::limit::LimitError;
use crate::actions::oauth::error::OAuthError;
use crate::actions::server_error::ServerError;
use crate::actions::sessions::error::GrantError;
use crate::db::DbError;
use crate::http::error::ApiError;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthErrorResponse {
    status: StatusCode,
    error: &'static str,
    description: String,
    /// The same error in the words of the other routes, where those have one.
    code: Option<&'static str>,
    retry_after_secs: Option<u64>,
    attempt_unconsumed: bool,
    challenge: Option<String>,
}

/// How it looks on the wire.
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub(super) struct OAuthErrorBody {
    error: &'static str,
    error_description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_secs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_consumed: Option<bool>,
}

impl OAuthErrorResponse {
    /// 400 with this error. The description is for people and must repeat nothing they sent.
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            code: None,
            retry_after_secs: None,
            attempt_unconsumed: false,
            challenge: None,
        }
    }

    /// 400 `invalid_request`.
    pub(super) fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// 401 `invalid_client`.
    pub(super) fn client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"everkey\", charset=\"UTF-8\"".to_owned()),
            ..Self::new("invalid_client", OAuthError::InvalidClient.to_string())
        }
    }

    /// The same with another status and, if there is one, another `WWW-Authenticate`.
    pub(super) fn with(self, status: StatusCode, challenge: Option<String>) -> Self {
        Self { status, challenge, ..self }
    }

    /// Says in 409, 429 and 503 answers that this attempt changed nothing (RR-1).
    pub(super) fn leaving_attempt_unconsumed(mut self) -> Self {
        self.attempt_unconsumed = matches!(
            self.status,
            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        self
    }
}

impl From<ApiError> for OAuthErrorResponse {
    fn from(error: ApiError) -> Self {
        let (status, code) = (error.status(), error.code());
        let word = match status {
            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => code,
            StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        Self {
            status,
            code: (word != "invalid_request").then_some(code),
            retry_after_secs: error.retry_after(),
            ..Self::new(word, error.message())
        }
    }
}

impl From<OAuthError> for OAuthErrorResponse {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::InvalidClient => Self::client(),
            OAuthError::UnauthorizedClient => Self::new("unauthorized_client", error.to_string()),
            OAuthError::InvalidScope => Self::new("invalid_scope", error.to_string()),
            OAuthError::InvalidGrant => Self::new(
                "invalid_grant",
                "The code or token is unknown, used, lapsed or revoked, or was given for another request. Sign in again.",
            ),
            error @ (OAuthError::RateLimited { .. } | OAuthError::Server(_)) => ApiError::from(error).into(),
        }
    }
}

impl From<GrantError> for OAuthErrorResponse {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::InvalidGrant => OAuthError::InvalidGrant.into(),
            GrantError::InvalidScope => OAuthError::InvalidScope.into(),
            other => ApiError::from(other).into(),
        }
    }
}

impl From<LimitError> for OAuthErrorResponse {
    fn from(error: LimitError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<ServerError> for OAuthErrorResponse {
    fn from(error: ServerError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<DbError> for OAuthErrorResponse {
    fn from(error: DbError) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for OAuthErrorResponse {
    fn into_response(self) -> Response {
        let body = OAuthErrorBody {
            error: self.error,
            error_description: self.description,
            code: self.code,
            retry_after_secs: self.retry_after_secs,
            attempt_consumed: self.attempt_unconsumed.then_some(false),
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
