//! `POST /v0/auth/token/refresh`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::sessions::refresh::{self, RefreshRequest};
use crate::app::AppState;
use crate::failproofai::tokens::{FailproofaiTokens, TokensBody};
use crate::http::body::JsonBody;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::http::refresh_retry::RetryHeaders;
use crate::rules::session_kind::TokenHolder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

/// The token to rotate.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::Refresh)]
pub(super) struct FailproofaiRefresh {
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
    request_body = FailproofaiRefresh,
    responses(
        (status = 200, body = TokensBody, description = "The next pair of tokens."),
        (status = 409, description = "Late, or rotated just now; nothing was changed."),
        (status = 401, description = "The token can't be used."),
        (status = 429, description = "Too many requests; nothing was changed."),
    )
)]
pub(super) async fn refresh(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    RetryHeaders { key, deadline }: RetryHeaders,
    JsonBody(body): JsonBody<FailproofaiRefresh>,
) -> Result<Json<FailproofaiTokens>, ApiError> {
    let request = RefreshRequest {
        token: RefreshToken::received(body.refresh_token),
        holder: TokenHolder::FirstParty,
        key,
        deadline,
        caller,
    };
    match refresh::refresh(&app, &request).await {
        Ok(tokens) => Ok(Json(FailproofaiTokens::after_refresh(&app, tokens))),
        Err(error) => Err(ApiError::from(error).leaving_attempt_unconsumed()),
    }
}
