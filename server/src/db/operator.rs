//! What only the operator's commands ask.

use super::audit::Event;
use super::users::{User, user};
use super::{DbError, Tx};
use crate::rules::email::Email;
use crate::time::Moment;

impl Tx {
    /// Every user, the oldest account first.
    pub async fn every_user(&mut self) -> Result<Vec<User>, DbError> {
        let query = "SELECT id, email, name, plan, platform_role, status, created_at FROM users
             ORDER BY created_at, id";
        let rows = sqlx::query(query).fetch_all(&mut *self.inner).await?;
        rows.iter().map(user).collect()
    }

    /// The user with this email, if there is one.
    pub async fn user_with_email(&mut self, email: &Email) -> Result<Option<User>, DbError> {
        let query =
            "SELECT id, email, name, plan, platform_role, status, created_at FROM users WHERE email = $1";
        let row = sqlx::query(query).bind(email.as_str()).fetch_optional(&mut *self.inner).await?;
        row.as_ref().map(user).transpose()
    }

    /// Appends a line about what the operator did.
    pub async fn record_operator(
        &mut self,
        event: Event,
        user: &str,
        session: Option<&str>,
        detail: &str,
        now: Moment,
    ) -> Result<(), DbError> {
        sqlx::query("INSERT INTO audit (at, event, user_id, session_id, detail) VALUES ($1, $2, $3, $4, $5)")
            .bind(now.millis())
            .bind(event.word())
            .bind(user)
            .bind(session)
            .bind(detail)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}
