//! `GET /healthz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::http::error::ApiError;

/// How the server is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    #[schema(pattern = "^ok$")]
    status: &'static str,
}

/// Whether the server and its database work
///
/// 200 while the database answers, else 503.
#[utoipa::path(get, path = "/healthz", tag = "running", responses((status = 200, body = Health, description = "All is well.")))]
pub async fn healthz(State(app): State<Arc<AppState>>) -> Result<Json<Health>, ApiError> {
    app.store.check().await?;
    Ok(Json(Health { status: "ok" }))
}
