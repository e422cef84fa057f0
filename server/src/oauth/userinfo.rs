//! `GET` and `POST /userinfo`: who the user is, as far as the scope tells (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::bearer_session::{self, BearerError, BearerSession, oauth};
use crate::actions::oauth::grant::about;
use crate::app::AppState;
use crate::db::retry;
use crate::http::bearer::Bearer;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;
use crate::oauth::error::{OAuthErrorBody, OAuthErrorResponse};
use crate::rules::oauth::scope::Scopes;
use crate::rules::session_kind::SessionKind;

/// Who the user is.
#[derive(Serialize, ToSchema)]
pub(super) struct UserInfo {
    sub: String,
    /// With scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// With scope `email`; always true, because a code sent there signed them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    /// With scope `profile`, if they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Who the user of an OAuth access token is
#[utoipa::path(
    get, path = "/userinfo", tag = "OAuth", security(("bearer" = [])),
    responses((status = 200, body = UserInfo), (status = 401, body = OAuthErrorBody), (status = 503, body = OAuthErrorBody))
)]
pub(super) async fn get(
    state: State<Arc<AppState>>,
    asks: RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<UserInfo>, OAuthErrorResponse> {
    user_info(state, asks, bearer).await
}

/// Who the user of an OAuth access token is
#[utoipa::path(
    post, path = "/userinfo", tag = "OAuth", security(("bearer" = [])),
    responses((status = 200, body = UserInfo), (status = 401, body = OAuthErrorBody), (status = 503, body = OAuthErrorBody))
)]
pub(super) async fn post(
    state: State<Arc<AppState>>,
    asks: RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<UserInfo>, OAuthErrorResponse> {
    user_info(state, asks, bearer).await
}

async fn user_info(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    bearer: Result<Bearer, ApiError>,
) -> Result<Json<UserInfo>, OAuthErrorResponse> {
    let Bearer(token) = bearer.map_err(|_| unauthorized(&app))?;
    let session = retry(|| async {
        let BearerSession { tx, session, .. } = bearer_session::open(&app, &token, &caller, oauth).await?;
        tx.commit().await?;
        Ok(session)
    })
    .await
    .map_err(|error| match error {
        BearerError::Unauthorized => unauthorized(&app),
        BearerError::Server(error) => error.into(),
    })?;
    let scopes = match &session.grant {
        SessionKind::OAuth { scope, .. } => Scopes::read(scope),
        SessionKind::FirstParty | SessionKind::Web | SessionKind::Cli { .. } => Scopes::default(),
    };
    let known = about(&session.user, &scopes);
    Ok(Json(UserInfo {
        sub: session.user.id.clone(),
        email: known.email.map(str::to_owned),
        email_verified: known.email_verified,
        name: known.name.map(str::to_owned),
    }))
}

/// RFC 6750 section 3, and where to find out how to get a token (RFC 9728 section 5.1).
fn unauthorized(app: &AppState) -> OAuthErrorResponse {
    let metadata = format!("{}/.well-known/oauth-protected-resource", app.public_url);
    let challenge = format!("Bearer error=\"invalid_token\", resource_metadata=\"{metadata}\"");
    OAuthErrorResponse::new(
        "invalid_token",
        "The access token is missing, expired or revoked, or not an OAuth client's.",
    )
    .with(StatusCode::UNAUTHORIZED, Some(challenge))
}
