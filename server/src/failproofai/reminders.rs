//! `GET`, `POST` and `DELETE /v0/reminders`: at most one reminder per user. One that is due stays, so that every tool of
//! the user tells the same.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actions::reminders;
use crate::db::reminders::StoredReminder;
use crate::db::users::StoredUser;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;

/// `in_days` from now, or `at` in unix seconds, which wins.
#[derive(Deserialize, ToSchema)]
#[schema(as = failproofai::SetReminder)]
pub(super) struct Set {
    in_days: Option<i64>,
    at: Option<i64>,
}

/// The user's reminder, or null.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::ReminderAnswer)]
pub(super) struct ReminderBody {
    #[schema(required)]
    reminder: Option<View>,
}

/// Times are unix seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = failproofai::Reminder)]
struct View {
    user_id: String,
    email: String,
    fire_at: i64,
    set_at: i64,
}

impl View {
    fn of(user: StoredUser, reminder: StoredReminder) -> Self {
        Self {
            user_id: user.id,
            email: user.email,
            fire_at: reminder.fire_at.secs(),
            set_at: reminder.set_at.secs(),
        }
    }
}

/// Look at the reminder
///
/// When `fire_at` has come, one letter goes to the user. The reminder stays after that, with its `fire_at` in the past,
/// until it is set anew or cleared.
#[utoipa::path(
    get,
    path = "/v0/reminders",
    tag = "failproofai",
    security(("bearer" = [])),
    responses((status = 200, body = ReminderBody, description = "The reminder as it stands."))
)]
pub(super) async fn get(tool: FirstParty) -> Result<Json<ReminderBody>, ApiError> {
    let (user, reminder) = reminders::get(tool.request()).await?;
    Ok(Json(ReminderBody { reminder: reminder.map(|reminder| View::of(user, reminder)) }))
}

/// Set the reminder, in place of the one there is
///
/// One letter is sent when it is due, whether or not one was sent for the former reminder.
#[utoipa::path(
    post,
    path = "/v0/reminders",
    tag = "failproofai",
    security(("bearer" = [])),
    request_body = Set,
    responses((status = 200, body = ReminderBody, description = "The reminder as it stands."))
)]
pub(super) async fn set(
    tool: FirstParty,
    JsonBody(body): JsonBody<Set>,
) -> Result<Json<ReminderBody>, ApiError> {
    let (user, reminder) = reminders::set(tool.request(), body.in_days, body.at).await?;
    Ok(Json(ReminderBody { reminder: Some(View::of(user, reminder)) }))
}

/// Clear the reminder, if there is one
#[utoipa::path(
    delete,
    path = "/v0/reminders",
    tag = "failproofai",
    security(("bearer" = [])),
    responses((status = 204, description = "There is no reminder now."))
)]
pub(super) async fn clear(tool: FirstParty) -> Result<StatusCode, ApiError> {
    reminders::clear(tool.request()).await?;
    Ok(StatusCode::NO_CONTENT)
}
