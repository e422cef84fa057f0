//! `GET /api/v1/auth/me`: whose a personal access token is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::personal_tokens::check;
use crate::app::AppState;
use crate::binboi::error::{BinboiError, BinboiErrorBody, LimitedBody};
use crate::binboi::views::TokenUser;
use crate::http::bearer::Bearer;
use crate::http::client::ClientAddress;
use crate::http::error::ApiError;
use crate::secret::SecretText;

/// Whose a personal access token is.
#[derive(Serialize, ToSchema)]
#[schema(as = binboi::Me)]
pub(super) struct PersonalTokenView {
    user: TokenUser,
    /// The part of the token that may be shown.
    token_prefix: String,
    /// Always `personal-access-token`.
    auth_mode: &'static str,
}

#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "binboi",
    security(("personal_token" = [])),
    responses(
        (status = 200, body = PersonalTokenView),
        (status = 401, description = "The token opens nothing; why is not told", body = BinboiErrorBody),
        (status = 429, description = "Too many refused tokens from this address", body = LimitedBody),
        (status = 503, description = "The server can't tell now", body = BinboiErrorBody),
    )
)]
pub(super) async fn me(
    State(app): State<Arc<AppState>>,
    ClientAddress(from): ClientAddress,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<PersonalTokenView>, BinboiError> {
    // A request without a token counts like one with a wrong token.
    let token = bearer.map_or_else(|_| SecretText::new(String::new()), |Bearer(token)| token);
    let checked = check(&app, &token, from).await?;
    Ok(Json(PersonalTokenView {
        user: checked.user.into(),
        token_prefix: checked.prefix,
        auth_mode: "personal-access-token",
    }))
}
