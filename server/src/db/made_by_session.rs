//! What a session has made that outlives it, so that an alarm about the session can end that, too.

use sqlx::Row as _;

use crate::db::{DbError, Tx};
use crate::time::Timestamp;

/// What a session had made, and what ended with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeBySession {
    /// Names and prefixes of personal access tokens.
    pub tokens: Vec<(String, String)>,
    pub shares: u64,
    pub invitations: u64,
    /// What the sessions are that it had let in.
    pub let_in: Vec<String>,
}

impl MadeBySession {
    /// Adds what another session had made.
    pub fn add(&mut self, other: Self) {
        self.tokens.extend(other.tokens);
        self.shares += other.shares;
        self.invitations += other.invitations;
        self.let_in.extend(other.let_in);
    }
}

/// Whose personal access tokens end.
#[derive(Clone, Copy, Debug)]
pub enum TokensOf<'a> {
    /// Those that this session has made.
    Session(&'a str),
    /// Those of its user that this session has not made.
    Others { user: &'a str, session: &'a str },
}

impl Tx {
    /// Ends all that a session has made: access tokens, links and invitations that nobody has answered.
    pub async fn end_made_by(&mut self, session: &str, now: Timestamp) -> Result<MadeBySession, DbError> {
        let tokens = self.revoke_tokens_of(TokensOf::Session(session), now).await?;
        let shares = sqlx::query(
            "UPDATE shares SET revoked_at = $2 WHERE session_id = $1 AND revoked_at IS NULL AND expires_at > $2",
        )
        .bind(session)
        .bind(now.millis())
        .execute(self.connection())
        .await?
        .rows_affected();
        let invitations = sqlx::query("DELETE FROM invitations WHERE session_id = $1")
            .bind(session)
            .execute(self.connection())
            .await?
            .rows_affected();
        Ok(MadeBySession { tokens, shares, invitations, let_in: Vec::new() })
    }

    /// Revokes personal access tokens that still count. Returns their names and prefixes, oldest first.
    pub async fn revoke_tokens_of(
        &mut self,
        of: TokensOf<'_>,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, DbError> {
        let query = match of {
            TokensOf::Session(_) => {
                "SELECT id, name, prefix FROM personal_tokens WHERE session_id = $1
                 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at, id"
            }
            TokensOf::Others { .. } => {
                "SELECT id, name, prefix FROM personal_tokens WHERE user_id = $1
                 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
                 AND (session_id IS NULL OR session_id <> $3) ORDER BY created_at, id"
            }
        };
        let query = match of {
            TokensOf::Session(session) => sqlx::query(query).bind(session).bind(now.millis()),
            TokensOf::Others { user, session } => {
                sqlx::query(query).bind(user).bind(now.millis()).bind(session)
            }
        };
        let rows = query.fetch_all(self.connection()).await?;
        let mut revoked = Vec::with_capacity(rows.len());
        for row in rows {
            self.revoke_personal_token(row.try_get("id")?, now).await?;
            revoked.push((row.try_get("name")?, row.try_get("prefix")?));
        }
        Ok(revoked)
    }
}
