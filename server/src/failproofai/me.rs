//! `GET /v0/auth/me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::again;
use crate::actions::visit::{Visit, first_party, visit};
use crate::app::App;
use crate::http::bearer::Bearer;
use crate::http::client::Asks;
use crate::http::error::ApiError;

/// The signed-in user.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::Me)]
pub(super) struct Me {
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
    responses((status = 200, body = Me, description = "The user."))
)]
pub(super) async fn me(
    State(app): State<Arc<App>>,
    Asks(caller): Asks,
    Bearer(token): Bearer,
) -> Result<Json<Me>, ApiError> {
    let user = again(|| async {
        let Visit { tx, session, now: _ } = visit(&app, &token, &caller, first_party).await?;
        tx.commit().await?;
        Ok(session.user)
    })
    .await?;
    Ok(Json(Me {
        created_at: user.created_at.rfc3339(),
        status: user.status.word(),
        id: user.id,
        email: user.email,
    }))
}
