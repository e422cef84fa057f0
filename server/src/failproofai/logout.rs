//! `POST /v0/auth/logout`. A bearer may come along; the refresh token alone is proof.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::actions;
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::rules::grant::Holder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

#[derive(Deserialize)]
pub(super) struct Logout {
    refresh_token: SecretText,
}

pub(super) async fn logout(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<Logout>,
) -> Result<StatusCode, ApiError> {
    let token = RefreshToken::received(body.refresh_token);
    actions::logout::logout(&app, &token, &Holder::FirstParty).await?;
    Ok(StatusCode::NO_CONTENT)
}
