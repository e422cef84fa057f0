//! Reminders: at most one per user, each with a letter to post when it is due.

use sqlx::Row as _;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct StoredReminder {
    pub fire_at: Timestamp,
    pub set_at: Timestamp,
}

/// A reminder whose letter is to be posted now, by nobody else until the lease ends.
#[derive(Debug)]
pub struct ClaimedReminder {
    pub user_id: String,
    /// Where the letter goes.
    pub email: String,
    pub fire_at: Timestamp,
    /// How often posting was begun, this time included.
    pub tries: i64,
    claim: String,
}

impl Tx {
    /// Sets or replaces a user's reminder. A letter under way for the former one settles nothing of this one.
    pub async fn put_reminder(&mut self, user: &str, reminder: StoredReminder) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO reminders (user_id, fire_at, set_at, mail_at) VALUES ($1, $2, $3, $2)
             ON CONFLICT (user_id) DO UPDATE SET fire_at = excluded.fire_at, set_at = excluded.set_at,
             mail_at = excluded.mail_at, mail_claim = NULL, mail_tries = 0",
        )
        .bind(user)
        .bind(reminder.fire_at.millis())
        .bind(reminder.set_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn reminder(&mut self, user: &str) -> Result<Option<StoredReminder>, DbError> {
        let row = sqlx::query("SELECT fire_at, set_at FROM reminders WHERE user_id = $1")
            .bind(user)
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            Ok(StoredReminder { fire_at: moment(&row, "fire_at")?, set_at: moment(&row, "set_at")? })
        })
        .transpose()
    }

    /// Clears a user's reminder, if there is one.
    pub async fn delete_reminder(&mut self, user: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM reminders WHERE user_id = $1").bind(user).execute(self.connection()).await?;
        Ok(())
    }

    /// Whether a letter waits to be posted.
    pub async fn has_letter(&mut self, now: Timestamp) -> Result<bool, DbError> {
        let row = sqlx::query(
            "SELECT 1 FROM reminders JOIN users ON users.id = reminders.user_id
             WHERE mail_at <= $1 AND users.status = 'active' LIMIT 1",
        )
        .bind(now.millis())
        .fetch_optional(self.connection())
        .await?;
        Ok(row.is_some())
    }

    /// Takes the letter that waits longest, until `lease_ends`. Whoever may not sign in gets none.
    pub async fn claim_letter(
        &mut self,
        now: Timestamp,
        lease_ends: Timestamp,
    ) -> Result<Option<ClaimedReminder>, DbError> {
        let waits = sqlx::query(
            "SELECT user_id, email, fire_at, mail_tries FROM reminders JOIN users ON users.id = reminders.user_id
             WHERE mail_at <= $1 AND users.status = 'active' ORDER BY mail_at LIMIT 1",
        )
        .bind(now.millis())
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = waits else { return Ok(None) };
        let claimed = ClaimedReminder {
            user_id: row.try_get("user_id")?,
            email: row.try_get("email")?,
            fire_at: moment(&row, "fire_at")?,
            tries: row.try_get::<i64, _>("mail_tries")?.saturating_add(1),
            claim: uuid::Uuid::new_v4().to_string(),
        };
        sqlx::query("UPDATE reminders SET mail_claim = $2, mail_at = $3, mail_tries = $4 WHERE user_id = $1")
            .bind(&claimed.user_id)
            .bind(&claimed.claim)
            .bind(lease_ends.millis())
            .bind(claimed.tries)
            .execute(self.connection())
            .await?;
        Ok(Some(claimed))
    }

    /// Gives a letter back: to be tried again at `next`, or never. `false` if it is no longer whoever claimed it's,
    /// because the reminder was set anew or cleared, or because the lease had ended.
    pub async fn settle_letter(
        &mut self,
        claimed: &ClaimedReminder,
        next: Option<Timestamp>,
    ) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE reminders SET mail_claim = NULL, mail_at = $3 WHERE user_id = $1 AND mail_claim = $2",
        )
        .bind(&claimed.user_id)
        .bind(&claimed.claim)
        .bind(next.map(Timestamp::millis))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
