//! `POST /v0/auth/logout`. A bearer may come along; the refresh token alone is proof.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::sessions;
use crate::app::AppState;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::rules::session_kind::TokenHolder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

/// Which session ends.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::Logout)]
pub(super) struct Logout {
    #[schema(value_type = String)]
    refresh_token: SecretText,
}

/// End a session
///
/// The refresh token, even a spent one, is proof enough.
#[utoipa::path(
    post,
    path = "/v0/auth/logout",
    tag = "failproofai",
    request_body = Logout,
    responses(
        (status = 204, description = "The session has ended."),
        (status = 401, description = "The token is of no session that could end.")
    )
)]
pub(super) async fn logout(
    State(app): State<Arc<AppState>>,
    JsonBody(body): JsonBody<Logout>,
) -> Result<StatusCode, ApiError> {
    let token = RefreshToken::received(body.refresh_token);
    sessions::logout::logout(&app, &token, &TokenHolder::FirstParty).await?;
    Ok(StatusCode::NO_CONTENT)
}
