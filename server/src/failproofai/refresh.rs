//! `POST /v0/auth/token/refresh`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::tokens::TokenAnswer;
use crate::actions;
use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::retry::RetryHeaders;
use crate::rules::grant::Holder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

#[derive(Deserialize)]
pub(super) struct Refresh {
    refresh_token: SecretText,
}

pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    RetryHeaders { key, deadline }: RetryHeaders,
    JsonBody(body): JsonBody<Refresh>,
) -> Result<Json<TokenAnswer>, ApiError> {
    let request = actions::refresh::Request {
        token: RefreshToken::received(body.refresh_token),
        holder: Holder::FirstParty,
        key,
        deadline,
    };
    match actions::refresh::refresh(&app, &request).await {
        Ok(tokens) => Ok(Json(TokenAnswer::after_refresh(&app, tokens))),
        Err(refusal) => Err(ApiError::from(refusal).leaving_attempt_unconsumed()),
    }
}
