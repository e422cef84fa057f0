//! `POST /revoke`: a client gives back what it was given (RFC 7009).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::oauth::authenticate::authenticate;
use crate::actions::oauth::revoke::revoke as carry_out;
use crate::app::AppState;
use crate::http::client::RequestCaller;
use crate::oauth::client::{Basic, OAuthForm};
use crate::oauth::error::{OAuthErrorBody, OAuthErrorResponse};
use crate::secret::SecretText;

/// The token to revoke. `token_type_hint` may come along and is not needed.
#[derive(Deserialize, ToSchema)]
pub(super) struct RevokeForm {
    #[schema(value_type = String)]
    token: Option<SecretText>,
    client_id: Option<String>,
    #[schema(value_type = Option<String>)]
    client_secret: Option<SecretText>,
}

/// Revoke the session that an access or refresh token belongs to
///
/// 200 for a token that is unknown, or another client's, too: then nothing is revoked.
#[utoipa::path(
    post, path = "/revoke", tag = "OAuth",
    request_body(content = RevokeForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200), (status = 400, body = OAuthErrorBody), (status = 401, description = "`invalid_client`", body = OAuthErrorBody),
        (status = 413, body = OAuthErrorBody), (status = 415, body = OAuthErrorBody), (status = 429, body = OAuthErrorBody), (status = 503, body = OAuthErrorBody),
    )
)]
pub(super) async fn revoke(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    basic: Basic,
    OAuthForm(form): OAuthForm<RevokeForm>,
) -> Result<StatusCode, OAuthErrorResponse> {
    let client = authenticate(&app, &basic.or_form(form.client_id, form.client_secret)?, &caller).await?;
    let token = form.token.filter(|token| !token.expose().is_empty());
    let token = token.ok_or_else(|| OAuthErrorResponse::request("token is missing."))?;
    carry_out(&app, &token, &client).await?;
    Ok(StatusCode::OK)
}
