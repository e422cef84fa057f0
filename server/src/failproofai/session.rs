//! `GET /v0/auth/session`: how far the bearer's session has rotated.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::bearer_session::{BearerError, BearerSession, ProbedSession, first_party, probe};
use crate::app::AppState;
use crate::db::retry;
use crate::failproofai::tokens::SignedInUser;
use crate::http::bearer::Bearer;
use crate::http::client::RequestCaller;
use crate::http::error::ApiError;

/// How far a session has rotated.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::Session)]
pub(super) struct SessionView {
    /// Left out when the access token has expired, or was given to an OAuth client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<SignedInUser>,
    session_id: String,
    generation: i64,
}

/// How far the session of the access token has rotated
///
/// An expired but unrevoked access token is accepted, and then the user is left out.
#[utoipa::path(
    get,
    path = "/v0/auth/session",
    tag = "failproofai",
    security(("bearer" = [])),
    responses((status = 200, body = SessionView, description = "The session."))
)]
pub(super) async fn session(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    Bearer(token): Bearer,
) -> Result<Json<SessionView>, ApiError> {
    // Any client may learn how far its own session has rotated; only first-party tokens tell whose it is.
    let (session, with_user) = retry(|| async {
        let (BearerSession { tx, session, now: _ }, with_user) = match probe(&app, &token, &caller).await? {
            ProbedSession::Full(bearer) => (bearer, true),
            ProbedSession::Expired(bearer) => (bearer, false),
        };
        tx.commit().await?;
        Ok::<_, BearerError>((session, with_user))
    })
    .await?;
    Ok(Json(SessionView {
        session_id: session.id,
        generation: session.generation,
        user: (with_user && first_party(&session.grant)).then(|| session.user.into()),
    }))
}
