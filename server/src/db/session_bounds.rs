//! How many sessions there are, and which of them are forgotten.

use sqlx::Row as _;

use crate::db::{DbError, Tx};
use crate::rules::session_kind::SessionKind;
use crate::time::Timestamp;

macro_rules! oldest {
    ($which:literal) => {
        concat!(
            "SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL
                AND COALESCE(rotated_at, created_at) > $2 AND ",
            $which,
            " ORDER BY COALESCE(last_seen_at, created_at), id LIMIT 1"
        )
    };
}

impl Tx {
    /// How many sessions with tokens a user has that were used since, or begun.
    pub async fn count_token_sessions(&mut self, user: &str, since: Timestamp) -> Result<u32, DbError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS many FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND grant_kind <> 'web'
                AND COALESCE(rotated_at, created_at) > $2",
        )
        .bind(user)
        .bind(since.millis())
        .fetch_one(self.connection())
        .await?;
        Ok(u32::try_from(row.try_get::<i64, _>("many")?).unwrap_or(u32::MAX))
    }

    /// The longest unused session of a user that gives way to a new one of this kind.
    pub async fn longest_unused(
        &mut self,
        user: &str,
        newcomer: &SessionKind,
        since: Timestamp,
    ) -> Result<Option<String>, DbError> {
        let (query, client) = match newcomer {
            SessionKind::OAuth { client, .. } => {
                (oldest!("grant_kind = 'oauth' AND client_id = $3"), client.as_str())
            }
            SessionKind::Cli { .. } => (oldest!("grant_kind = 'cli' AND $3 = ''"), ""),
            SessionKind::FirstParty | SessionKind::Web => {
                (oldest!("grant_kind IN ('oauth', 'cli') AND $3 = ''"), "")
            }
        };
        let row = sqlx::query(query)
            .bind(user)
            .bind(since.millis())
            .bind(client)
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| Ok(row.try_get("id")?)).transpose()
    }

    /// A user's browsers that are signed in, but for the newest, of which there are one fewer than `most`.
    pub async fn web_sessions_beyond(
        &mut self,
        user: &str,
        most: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, DbError> {
        let rows = sqlx::query(
            "SELECT s.id FROM sessions s JOIN web_sessions w ON w.session_id = s.id
             WHERE s.user_id = $1 AND s.revoked_at IS NULL AND w.expires_at > $2
             ORDER BY s.created_at DESC, s.id LIMIT 1000 OFFSET $3",
        )
        .bind(user)
        .bind(now.millis())
        .bind(i64::from(most.saturating_sub(1)))
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Forgets sessions of which nothing is left but the row, and that ended or were last used before `horizon`. Returns how
    /// many there were.
    pub async fn forget_sessions(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query(
            "DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s
                WHERE COALESCE(s.revoked_at, s.access_expires_at, s.last_seen_at, s.rotated_at, s.created_at) < $1
                AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = s.id)
                AND NOT EXISTS (SELECT 1 FROM web_sessions w WHERE w.session_id = s.id)
                AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.session_id = s.id)
                LIMIT 5000)",
        )
        .bind(horizon.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }
}
