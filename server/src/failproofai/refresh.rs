//! `POST /v0/auth/token/refresh`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::tokens::{TokenAnswer, Wire};
use crate::actions::sessions::refresh::{self, RefreshRequest};
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::retry::RetryHeaders;
use crate::rules::grant::Holder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

/// The token to rotate.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::Refresh)]
pub(super) struct Refresh {
    #[schema(value_type = String)]
    refresh_token: SecretText,
}

/// Exchange a refresh token for its successor
///
/// With an `Idempotency-Key` a lost answer can be asked for again until its successor is used (RR-1).
#[utoipa::path(
    post,
    path = "/v0/auth/token/refresh",
    tag = "failproofai",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "256 random bits; one for each refresh token"),
        ("X-Request-Deadline" = Option<u64>, Header, description = "Unix seconds, at most 30 s ahead of `Date`"),
    ),
    request_body = Refresh,
    responses(
        (status = 200, body = Wire, description = "The next pair of tokens."),
        (status = 409, description = "Late, or rotated just now; nothing was changed."),
        (status = 401, description = "The token can't be used."),
        (status = 429, description = "Too many requests; nothing was changed."),
    )
)]
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    RetryHeaders { key, deadline }: RetryHeaders,
    JsonBody(body): JsonBody<Refresh>,
) -> Result<Json<TokenAnswer>, ApiError> {
    let request = RefreshRequest {
        token: RefreshToken::received(body.refresh_token),
        holder: Holder::FirstParty,
        key,
        deadline,
    };
    match refresh::refresh(&app, &request).await {
        Ok(tokens) => Ok(Json(TokenAnswer::after_refresh(&app, tokens))),
        Err(error) => Err(ApiError::from(error).leaving_attempt_unconsumed()),
    }
}
