//! What only the operator's commands ask.

use crate::db::users::{StoredUser, user};
use crate::db::{DbError, Tx};
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::time::Timestamp;

impl Tx {
    /// Every user, the oldest account first.
    pub async fn every_user(&mut self) -> Result<Vec<StoredUser>, DbError> {
        let query = "SELECT id, email, name, plan, platform_role, status, created_at FROM users
             ORDER BY created_at, id";
        let rows = sqlx::query(query).fetch_all(self.connection()).await?;
        rows.iter().map(user).collect()
    }

    pub async fn user_with_email(&mut self, email: &Email) -> Result<Option<StoredUser>, DbError> {
        let query =
            "SELECT id, email, name, plan, platform_role, status, created_at FROM users WHERE email = $1";
        let row = sqlx::query(query).bind(email.as_str()).fetch_optional(self.connection()).await?;
        row.as_ref().map(user).transpose()
    }

    /// Appends a line about what the operator did.
    pub async fn record_operator(
        &mut self,
        event: AuditEvent,
        user: &str,
        session: Option<&str>,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query("INSERT INTO audit (at, event, user_id, session_id, detail) VALUES ($1, $2, $3, $4, $5)")
            .bind(now.millis())
            .bind(event.as_str())
            .bind(user)
            .bind(session)
            .bind(detail)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
