//! Answers as achilles shapes them: `{success: true, data}` and `{success: false, error}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::secret::SecretText;

/// What was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Success<T> {
    /// Always true.
    success: bool,
    data: T,
}

impl<T> Success<T> {
    pub(super) fn of(data: T) -> Json<Self> {
        Json(Self { success: true, data })
    }
}

/// Why not.
#[derive(Serialize, ToSchema)]
#[schema(as = achilles::Failure)]
pub(super) struct FailureBody {
    /// Always false.
    success: bool,
    /// A word where the contract has one (`authorization_pending`, `access_denied`), else a sentence for people.
    error: String,
    /// Of a refresh that changed nothing (RR-1): the same word as on the other routes, such as `rotation_in_progress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<&'static str>,
    /// False when this attempt is known to have changed nothing (RR-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    attempt_consumed: Option<bool>,
}

/// An error answer of these routes.
#[derive(Debug)]
pub(super) enum AchillesError {
    /// The access token opens nothing: 302 to `/`, as the original does.
    ToFrontPage,
    /// A status with its error.
    Plain(StatusCode, &'static str),
    /// Anything else.
    Other(ApiError),
}

impl AchillesError {
    /// Why a refresh was not done; where it proves that nothing was consumed, it says so (RR-1).
    pub(super) fn unconsumed(error: impl Into<ApiError>) -> Self {
        Self::Other(error.into().leaving_attempt_unconsumed())
    }

    /// Whether what was brought is good for nothing.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::ToFrontPage => false,
            Self::Plain(status, _) => *status == StatusCode::UNAUTHORIZED,
            Self::Other(error) => error.status() == StatusCode::UNAUTHORIZED,
        }
    }
}

impl<E: Into<ApiError>> From<E> for AchillesError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for AchillesError {
    fn into_response(self) -> Response {
        match self {
            Self::ToFrontPage => {
                (StatusCode::FOUND, [(header::LOCATION, HeaderValue::from_static("/"))]).into_response()
            }
            Self::Plain(status, error) => failure(status, error.to_owned(), None),
            Self::Other(error) => {
                let mut response = failure(error.status(), error.message().to_owned(), error.unconsumed());
                if let Some(secs) = error.retry_after() {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
                }
                response
            }
        }
    }
}

fn failure(status: StatusCode, error: String, unconsumed: Option<&'static str>) -> Response {
    let attempt_consumed = unconsumed.map(|_| false);
    (status, Json(FailureBody { success: false, error, code: unconsumed, attempt_consumed })).into_response()
}

/// Writes a secret out, in the one answer that is for its owner.
pub(super) fn expose<S: Serializer>(secret: &SecretText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
