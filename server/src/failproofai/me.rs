//! `GET /v0/auth/me`.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::bearer_session::BearerError;
use crate::db::retry;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;

/// The signed-in user.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::Me)]
pub(super) struct CurrentUser {
    id: String,
    email: String,
    status: &'static str,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Who the access token belongs to
#[utoipa::path(
    get,
    path = "/v0/auth/me",
    tag = "failproofai",
    security(("bearer" = [])),
    responses((status = 200, body = CurrentUser, description = "The user."))
)]
pub(super) async fn me(tool: FirstParty) -> Result<Json<CurrentUser>, ApiError> {
    let user = retry(|| async {
        let bearer = tool.request().open().await?;
        bearer.tx.commit().await?;
        Ok::<_, BearerError>(bearer.session.user)
    })
    .await?;
    Ok(Json(CurrentUser {
        created_at: user.created_at.rfc3339(),
        status: user.status.as_str(),
        id: user.id,
        email: user.email,
    }))
}
