//! Answers as achilles shapes them: `{success: true, data}` and `{success: false, error}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::actions::Refusal;
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
pub(super) struct Failure {
    /// Always false.
    success: bool,
    /// A word where the contract has one (`authorization_pending`, `access_denied`), else a sentence for people.
    error: String,
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

impl From<ApiError> for AchillesError {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl From<Refusal> for AchillesError {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal.into())
    }
}

impl IntoResponse for AchillesError {
    fn into_response(self) -> Response {
        match self {
            Self::ToFrontPage => {
                (StatusCode::FOUND, [(header::LOCATION, HeaderValue::from_static("/"))]).into_response()
            }
            Self::Plain(status, error) => failure(status, error.to_owned()),
            Self::Other(error) => {
                let mut response = failure(error.status(), error.message().to_owned());
                if let Some(secs) = error.retry_after() {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
                }
                response
            }
        }
    }
}

fn failure(status: StatusCode, error: String) -> Response {
    (status, Json(Failure { success: false, error })).into_response()
}

/// Writes a secret out, in the one answer that is for its owner.
pub(super) fn expose<S: Serializer>(secret: &SecretText, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
