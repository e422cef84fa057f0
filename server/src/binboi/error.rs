//! Errors as binboi shapes them: `{error}`, with a `code` where a client acts on it, and its own shape for 429.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::rules::plan::Plan;

/// An error answer of these routes.
#[derive(Debug)]
pub(super) enum BinboiError {
    /// The access token opens nothing.
    Unauthorized,
    /// 403 `TOKEN_LIMIT_REACHED`.
    TokenLimit(Plan),
    /// 403 with this code: more proof is needed.
    Unproved(MissingProof),
    /// There is no such token among the user's own.
    UnknownToken,
    /// 429 `RATE_LIMITED`.
    Limited(ApiError),
    /// Anything else.
    Other(ApiError),
}

/// What a token is not made without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissingProof {
    FreshSignIn,
    SecondFactor,
    RightSecondFactor,
}

impl MissingProof {
    fn as_str(self) -> &'static str {
        match self {
            Self::FreshSignIn => "SIGN_IN_REQUIRED",
            Self::SecondFactor => "SECOND_FACTOR_REQUIRED",
            Self::RightSecondFactor => "SECOND_FACTOR_REJECTED",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::FreshSignIn => {
                "An access token is only made soon after a sign-in. Sign in again, then make it."
            }
            Self::SecondFactor => {
                "This account has a second factor. Send what your app shows as second_factor."
            }
            Self::RightSecondFactor => "The second factor is wrong, or was used before.",
        }
    }
}

/// An error, for people.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::ErrorBody)]
pub(super) struct BinboiErrorBody {
    /// What happened, and what to do.
    error: String,
    /// What a client can act on, such as `TOKEN_LIMIT_REACHED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

/// Too many requests.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::LimitedBody)]
pub(super) struct LimitedBody {
    error: LimitedError,
    /// Always empty.
    #[schema(value_type = Object)]
    meta: Value,
}

#[derive(Serialize, ToSchema)]
#[schema(as = binboi::LimitedError)]
struct LimitedError {
    /// Always `RATE_LIMITED`.
    code: &'static str,
    message: String,
}

impl<E: Into<ApiError>> From<E> for BinboiError {
    fn from(error: E) -> Self {
        let error: ApiError = error.into();
        match error.status() {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::TOO_MANY_REQUESTS => Self::Limited(error),
            _ => Self::Other(error),
        }
    }
}

impl IntoResponse for BinboiError {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => {
                let mut response = plain(
                    StatusCode::UNAUTHORIZED,
                    "The access token is missing, wrong, revoked or lapsed.".to_owned(),
                    None,
                );
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response
            }
            Self::TokenLimit(Plan { name, personal_tokens }) => plain(
                StatusCode::FORBIDDEN,
                format!(
                    "The {name} plan includes {personal_tokens} access tokens. Revoke one before making another."
                ),
                Some("TOKEN_LIMIT_REACHED"),
            ),
            Self::Unproved(missing) => {
                plain(StatusCode::FORBIDDEN, missing.message().to_owned(), Some(missing.as_str()))
            }
            Self::UnknownToken => {
                plain(StatusCode::NOT_FOUND, "You have no such access token.".to_owned(), None)
            }
            Self::Limited(error) => limited(&error),
            Self::Other(error) => match error.retry_after() {
                None => plain(error.status(), error.message().to_owned(), None),
                Some(secs) => {
                    let mut response = plain(error.status(), error.message().to_owned(), None);
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
                    response
                }
            },
        }
    }
}

fn plain(status: StatusCode, error: String, code: Option<&'static str>) -> Response {
    (status, Json(BinboiErrorBody { error, code })).into_response()
}

fn limited(error: &ApiError) -> Response {
    let message = error.message().to_owned();
    let body = LimitedBody { error: LimitedError { code: "RATE_LIMITED", message }, meta: json!({}) };
    let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    if let Some(secs) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}
