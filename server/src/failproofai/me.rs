//! `GET /v0/auth/me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::actions::Refusal;
use crate::actions::visit::{Visit, visit};
use crate::app::App;
use crate::http::bearer::Bearer;
use crate::http::error::ApiError;

#[derive(Serialize)]
pub(super) struct Me {
    id: String,
    email: String,
    status: &'static str,
    /// RFC 3339, UTC.
    created_at: String,
}

pub(super) async fn me(State(app): State<Arc<App>>, Bearer(token): Bearer) -> Result<Json<Me>, ApiError> {
    let Visit { tx, session, now: _ } = visit(&app, &token).await?;
    tx.commit().await.map_err(Refusal::from)?;
    let user = session.user;
    Ok(Json(Me {
        created_at: user.created_at.rfc3339(),
        status: user.status.word(),
        id: user.id,
        email: user.email,
    }))
}
