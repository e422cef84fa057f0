//! The reminder of a user: at most one.

use crate::actions::bearer_session::{ToolRequest, from_bearer_error};
use crate::actions::server_error::{ServerError, action_error};
use crate::db::reminders::StoredReminder;
use crate::db::retry;
use crate::db::users::StoredUser;
use crate::rules::reminder::fire_at;

/// A reminder was not looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum ReminderSettingError {
    /// The access token opens nothing.
    #[error("unauthorized")]
    Unauthorized,
    /// The time makes no sense; the text, for people, says why.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(ReminderSettingError);
from_bearer_error!(ReminderSettingError);

/// The asker, and their reminder if there is one.
pub async fn get(
    request: ToolRequest<'_>,
) -> Result<(StoredUser, Option<StoredReminder>), ReminderSettingError> {
    retry(|| async {
        let mut bearer = request.open().await?;
        let reminder = bearer.tx.reminder(&bearer.session.user.id).await?;
        bearer.tx.commit().await?;
        Ok((bearer.session.user, reminder))
    })
    .await
}

/// Sets the asker's reminder, in place of the one there is: `in_days` from now, or `at` in unix seconds, which wins.
pub async fn set(
    request: ToolRequest<'_>,
    in_days: Option<i64>,
    at: Option<i64>,
) -> Result<(StoredUser, StoredReminder), ReminderSettingError> {
    retry(|| async {
        let mut bearer = request.open().await?;
        let fire_at = fire_at(in_days, at, bearer.now)
            .map_err(|error| ReminderSettingError::Invalid(error.to_string()))?;
        let reminder = StoredReminder { fire_at, set_at: bearer.now };
        bearer.tx.put_reminder(&bearer.session.user.id, reminder).await?;
        bearer.tx.commit().await?;
        Ok((bearer.session.user, reminder))
    })
    .await
}

/// Clears the asker's reminder, if there is one.
pub async fn clear(request: ToolRequest<'_>) -> Result<(), ReminderSettingError> {
    retry(|| async {
        let mut bearer = request.open().await?;
        bearer.tx.delete_reminder(&bearer.session.user.id).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}
