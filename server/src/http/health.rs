//! `GET /healthz`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::error::ApiError;
use crate::actions::Refusal;
use crate::app::App;

/// 200 `{"status":"ok"}` while the database answers, else 503.
pub async fn healthz(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    app.store.check().await.map_err(Refusal::from)?;
    Ok(Json(json!({ "status": "ok" })))
}
