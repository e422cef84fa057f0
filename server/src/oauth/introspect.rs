//! `POST /introspect`: what a token is good for (RFC 7662), for clients that can keep a secret.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actions::oauth::authenticate::authenticate;
use crate::actions::oauth::introspect::{ActiveToken, introspect as look};
use crate::app::AppState;
use crate::http::client::RequestCaller;
use crate::oauth::client::{Basic, OAuthForm};
use crate::oauth::error::{OAuthErrorBody, OAuthErrorResponse};
use crate::secret::SecretText;

/// The token to look at. `token_type_hint` may come along and is not needed.
#[derive(Deserialize, ToSchema)]
pub(super) struct IntrospectForm {
    #[schema(value_type = String)]
    token: Option<SecretText>,
    client_id: Option<String>,
    #[schema(value_type = Option<String>)]
    client_secret: Option<SecretText>,
}

/// What a token is good for (RFC 7662 section 2.2). Of one that is good for nothing only `active` is told.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// `Bearer` for an access token; left out for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
}

/// Ask what a token is good for
///
/// A client sees its own tokens. One that the operator lets introspect (a resource server) sees the access tokens of
/// every OAuth client. Anything else is not active.
#[utoipa::path(
    post, path = "/introspect", tag = "OAuth",
    request_body(content = IntrospectForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Introspection), (status = 400, body = OAuthErrorBody),
        (status = 401, description = "`invalid_client`: the client is unknown or has no secret", body = OAuthErrorBody),
        (status = 413, body = OAuthErrorBody), (status = 415, body = OAuthErrorBody), (status = 429, body = OAuthErrorBody), (status = 503, body = OAuthErrorBody),
    )
)]
pub(super) async fn introspect(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    basic: Basic,
    OAuthForm(form): OAuthForm<IntrospectForm>,
) -> Result<Json<Introspection>, OAuthErrorResponse> {
    let client = authenticate(&app, &basic.or_form(form.client_id, form.client_secret)?, &caller).await?;
    // A public client's name is no proof, and tokens must not be tried out here by anyone.
    if client.secret.is_none() {
        return Err(OAuthErrorResponse::client());
    }
    let token = form.token.filter(|token| !token.expose().is_empty());
    let token = token.ok_or_else(|| OAuthErrorResponse::request("token is missing."))?;
    Ok(Json(look(&app, &token, &client).await?.map_or_else(Introspection::default, |seen| view(&app, seen))))
}

fn view(app: &AppState, seen: ActiveToken) -> Introspection {
    Introspection {
        active: true,
        iss: Some(app.public_url.clone()),
        sub: Some(seen.user),
        client_id: Some(seen.client),
        scope: Some(seen.scope),
        token_type: (!seen.is_refresh).then_some("Bearer"),
        exp: Some(seen.expires_at.secs()),
        iat: seen.issued_at.map(|at| at.secs()),
    }
}
