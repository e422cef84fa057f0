//! Share links and invitations that sessions leave behind: they go on when the sessions have ended.

use sqlx::Row as _;

use crate::db::made_by_session::TokensOf;
use crate::db::{DbError, Tx};
use crate::time::Timestamp;

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Links that have neither lapsed nor been revoked.
    pub shares: u64,
    /// Invitations that wait for an answer.
    pub invitations: u64,
}

impl Tx {
    /// What a user has left behind, by the session that made it.
    pub async fn left_behind_by(
        &mut self,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<(Option<String>, LeftBehind)>, DbError> {
        let rows = sqlx::query(
            "SELECT session_id, CAST(SUM(link) AS BIGINT) AS shares, CAST(SUM(1 - link) AS BIGINT) AS invitations FROM
                 (SELECT session_id, 1 AS link FROM shares
                      WHERE maker_id = $1 AND revoked_at IS NULL AND expires_at > $2
                  UNION ALL SELECT session_id, 0 AS link FROM invitations WHERE maker_id = $1 AND expires_at > $2) AS made
             GROUP BY session_id",
        )
        .bind(user)
        .bind(now.millis())
        .fetch_all(self.connection())
        .await?;
        let count = |count: i64| u64::try_from(count).map_err(|_| DbError::Corrupt("shares"));
        rows.iter()
            .map(|row| {
                let (shares, invitations) = (row.try_get("shares")?, row.try_get("invitations")?);
                let left = LeftBehind { shares: count(shares)?, invitations: count(invitations)? };
                Ok((row.try_get("session_id")?, left))
            })
            .collect()
    }

    /// Ends what these sessions have left behind, and says how much that was.
    pub async fn end_left_behind(&mut self, of: TokensOf<'_>, now: Timestamp) -> Result<LeftBehind, DbError> {
        let (shares, invitations) = match of {
            TokensOf::Session(_) => (
                "UPDATE shares SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL AND expires_at > $2",
                "DELETE FROM invitations WHERE session_id = $1 AND expires_at > $2",
            ),
            TokensOf::Others { .. } => (
                "UPDATE shares SET revoked_at = $2 WHERE maker_id = $1 AND revoked_at IS NULL AND expires_at > $2
                 AND (session_id IS NULL OR session_id <> $3)",
                "DELETE FROM invitations WHERE maker_id = $1 AND expires_at > $2
                 AND (session_id IS NULL OR session_id <> $3)",
            ),
        };
        Ok(LeftBehind {
            shares: self.end_some(shares, of, now).await?,
            invitations: self.end_some(invitations, of, now).await?,
        })
    }

    async fn end_some(
        &mut self,
        query: &'static str,
        of: TokensOf<'_>,
        now: Timestamp,
    ) -> Result<u64, DbError> {
        let query = match of {
            TokensOf::Session(session) => sqlx::query(query).bind(session).bind(now.millis()),
            TokensOf::Others { user, session } => {
                sqlx::query(query).bind(user).bind(now.millis()).bind(session)
            }
        };
        Ok(query.execute(self.connection()).await?.rows_affected())
    }
}
