//! `GET`, `POST` and `DELETE /v0/reminders`: at most one reminder per user.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::actions::Refusal;
use crate::actions::visit::{Visit, visit};
use crate::app::App;
use crate::db::reminders::Reminder;
use crate::db::users::User;
use crate::http::bearer::Bearer;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::rules::reminder::fire_at;

/// `in_days` from now, or `at` in unix seconds, which wins.
#[derive(Deserialize)]
pub(super) struct Set {
    in_days: Option<i64>,
    at: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct Answer {
    reminder: Option<View>,
}

/// Times are unix seconds.
#[derive(Serialize)]
struct View {
    user_id: String,
    email: String,
    fire_at: i64,
    set_at: i64,
}

impl View {
    fn of(user: User, reminder: Reminder) -> Self {
        Self {
            user_id: user.id,
            email: user.email,
            fire_at: reminder.fire_at.secs(),
            set_at: reminder.set_at.secs(),
        }
    }
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    Bearer(token): Bearer,
) -> Result<Json<Answer>, ApiError> {
    let Visit { mut tx, session, now: _ } = visit(&app, &token).await?;
    let reminder = tx.reminder(&session.user.id).await.map_err(Refusal::from)?;
    tx.commit().await.map_err(Refusal::from)?;
    Ok(Json(Answer { reminder: reminder.map(|reminder| View::of(session.user, reminder)) }))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    Bearer(token): Bearer,
    JsonBody(body): JsonBody<Set>,
) -> Result<Json<Answer>, ApiError> {
    let Visit { mut tx, session, now } = visit(&app, &token).await?;
    let fire_at =
        fire_at(body.in_days, body.at, now).map_err(|error| ApiError::validation(error.to_string()))?;
    let reminder = Reminder { fire_at, set_at: now };
    tx.put_reminder(&session.user.id, reminder).await.map_err(Refusal::from)?;
    tx.commit().await.map_err(Refusal::from)?;
    Ok(Json(Answer { reminder: Some(View::of(session.user, reminder)) }))
}

pub(super) async fn clear(
    State(app): State<Arc<App>>,
    Bearer(token): Bearer,
) -> Result<StatusCode, ApiError> {
    let Visit { mut tx, session, now: _ } = visit(&app, &token).await?;
    tx.delete_reminder(&session.user.id).await.map_err(Refusal::from)?;
    tx.commit().await.map_err(Refusal::from)?;
    Ok(StatusCode::NO_CONTENT)
}
