//! Reminders: at most one per user.

use super::{DbError, Tx, moment};
use crate::time::Moment;

/// A reminder.
#[derive(Clone, Copy, Debug)]
pub struct Reminder {
    /// When it fires.
    pub fire_at: Moment,
    /// When it was set.
    pub set_at: Moment,
}

impl Tx {
    /// Sets or replaces a user's reminder.
    pub async fn put_reminder(&mut self, user: &str, reminder: Reminder) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO reminders (user_id, fire_at, set_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET fire_at = excluded.fire_at, set_at = excluded.set_at",
        )
        .bind(user)
        .bind(reminder.fire_at.millis())
        .bind(reminder.set_at.millis())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// A user's reminder.
    pub async fn reminder(&mut self, user: &str) -> Result<Option<Reminder>, DbError> {
        let row = sqlx::query("SELECT fire_at, set_at FROM reminders WHERE user_id = $1")
            .bind(user)
            .fetch_optional(&mut *self.inner)
            .await?;
        row.map(|row| Ok(Reminder { fire_at: moment(&row, "fire_at")?, set_at: moment(&row, "set_at")? }))
            .transpose()
    }

    /// Clears a user's reminder, if there is one.
    pub async fn delete_reminder(&mut self, user: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM reminders WHERE user_id = $1").bind(user).execute(&mut *self.inner).await?;
        Ok(())
    }
}
