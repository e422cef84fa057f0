//! What a session has let in: other sessions, and approvals that nobody has fetched yet.

use sqlx::Row as _;

use crate::db::sessions::SessionEndReason;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::time::Timestamp;

impl Tx {
    /// The sessions that a session has let in, the oldest first, whether they have ended or not.
    pub async fn let_in_by(&mut self, session: &str) -> Result<Vec<String>, DbError> {
        let rows = sqlx::query("SELECT id FROM sessions WHERE approved_by = $1 ORDER BY created_at, id")
            .bind(session)
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// The sessions that a remembered browser has begun since then, the newest first.
    pub async fn begun_by_browser(
        &mut self,
        browser: &str,
        since: Timestamp,
    ) -> Result<Vec<String>, DbError> {
        let rows = sqlx::query(
            "SELECT id FROM sessions WHERE remembered_by = $1 AND created_at >= $2 ORDER BY created_at DESC, id",
        )
        .bind(browser)
        .bind(since.millis())
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Notes that a remembered browser, which has this cookie now, began the web session with that cookie.
    pub async fn note_remembered_use(&mut self, browser: &Digest, web: &Digest) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE sessions SET remembered_by = (SELECT id FROM remembered_browsers WHERE hash = $1)
             WHERE id = (SELECT session_id FROM web_sessions WHERE hash = $2)",
        )
        .bind(browser.bytes().as_slice())
        .bind(web.bytes().as_slice())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Ends a session that may be in two hands; of one that has ended it notes why nobody may trust it. Whether it was open.
    pub async fn end_by_alarm(&mut self, session: &str, now: Timestamp) -> Result<bool, DbError> {
        let was_open = self.end_session(session, SessionEndReason::Replay, now).await?;
        sqlx::query("UPDATE sessions SET revoked_why = $2 WHERE id = $1")
            .bind(session)
            .bind(SessionEndReason::Replay.as_str())
            .execute(self.connection())
            .await?;
        Ok(was_open)
    }

    /// What a session has approved and nobody has fetched must not outlive it.
    pub(super) async fn withdraw_approvals_in(&mut self, session: &str) -> Result<(), DbError> {
        for query in [
            "UPDATE device_grants SET state = 'denied' WHERE decided_in = $1 AND state = 'approved'",
            "DELETE FROM authorization_codes WHERE approved_by = $1 AND session_id IS NULL",
        ] {
            sqlx::query(query).bind(session).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// The same for all that a user has approved.
    pub(super) async fn withdraw_approvals_of(&mut self, user: &str) -> Result<(), DbError> {
        for query in [
            "UPDATE device_grants SET state = 'denied' WHERE user_id = $1 AND state = 'approved'",
            "DELETE FROM authorization_codes WHERE user_id = $1 AND session_id IS NULL",
        ] {
            sqlx::query(query).bind(user).execute(self.connection()).await?;
        }
        Ok(())
    }
}
