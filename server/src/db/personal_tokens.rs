//! Personal access tokens, by their prefix and hash.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::row::{moment, optional_moment};
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::personal_token::{PersonalTokenStanding, standing};
use crate::time::Timestamp;

/// The most tokens that a list holds.
const LONGEST_LIST: i64 = 200;

/// A token as stored, without what proves it.
#[derive(Clone, Debug)]
pub struct StoredPersonalToken {
    pub id: String,
    pub user_id: String,
    pub name: String,
    /// Its first three parts.
    pub prefix: String,
    pub created_at: Timestamp,
    /// When it was last seen, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it lapses, if ever.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The session that made it, if that is known.
    pub session_id: Option<String>,
}

impl StoredPersonalToken {
    /// Whether it still counts.
    pub fn standing(&self, now: Timestamp) -> PersonalTokenStanding {
        standing(self.revoked_at, self.expires_at, now)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, name, prefix, hash, created_at, last_used_at, expires_at, revoked_at, session_id
            FROM personal_tokens ",
            $rest
        )
    };
}

impl Tx {
    /// Stores a new token with the hash that proves it.
    pub async fn insert_personal_token(
        &mut self,
        token: &StoredPersonalToken,
        hash: &Digest,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO personal_tokens (id, user_id, name, prefix, hash, created_at, expires_at, session_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token.id.as_str())
        .bind(token.user_id.as_str())
        .bind(token.name.as_str())
        .bind(token.prefix.as_str())
        .bind(hash.bytes().as_slice())
        .bind(token.created_at.millis())
        .bind(token.expires_at.map(Timestamp::millis))
        .bind(token.session_id.clone())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The token with this prefix, and its hash.
    pub async fn personal_token_by_prefix(
        &mut self,
        prefix: &str,
    ) -> Result<Option<(StoredPersonalToken, Digest)>, DbError> {
        let row =
            sqlx::query(select!("WHERE prefix = $1")).bind(prefix).fetch_optional(self.connection()).await?;
        row.map(|row| {
            let hash = Digest::from_slice(row.try_get("hash")?);
            Ok((token(&row)?, hash.ok_or(DbError::Corrupt("personal_tokens.hash"))?))
        })
        .transpose()
    }

    /// A user's tokens, newest first, the ended ones included. Of very many only the newest.
    pub async fn personal_tokens_of(&mut self, user: &str) -> Result<Vec<StoredPersonalToken>, DbError> {
        let rows = sqlx::query(select!("WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT $2"))
            .bind(user)
            .bind(LONGEST_LIST)
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(token).collect()
    }

    pub async fn count_live_personal_tokens(&mut self, user: &str, now: Timestamp) -> Result<u32, DbError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS live FROM personal_tokens
             WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(user)
        .bind(now.millis())
        .fetch_one(self.connection())
        .await?;
        let live: i64 = row.try_get("live")?;
        u32::try_from(live).map_err(|_| DbError::Corrupt("personal_tokens"))
    }

    /// Notes that a token was used.
    pub async fn note_personal_token_use(&mut self, id: &str, now: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE personal_tokens SET last_used_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// A user's token with this id; nobody else's is found.
    pub async fn personal_token(
        &mut self,
        user: &str,
        id: &str,
    ) -> Result<Option<StoredPersonalToken>, DbError> {
        let row = sqlx::query(select!("WHERE id = $1 AND user_id = $2"))
            .bind(id)
            .bind(user)
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(token).transpose()
    }

    /// Revokes a token. `false` if it was revoked already.
    pub async fn revoke_personal_token(&mut self, id: &str, now: Timestamp) -> Result<bool, DbError> {
        let done =
            sqlx::query("UPDATE personal_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
                .bind(id)
                .bind(now.millis())
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Revokes every token of a user that still counts. Returns how many there were.
    pub async fn revoke_personal_tokens_of(&mut self, user: &str, now: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query(
            "UPDATE personal_tokens SET revoked_at = $2
             WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(user)
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Forgets tokens that were revoked or lapsed before `horizon`. Returns how many there were.
    pub async fn forget_personal_tokens(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM personal_tokens WHERE revoked_at < $1 OR expires_at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}

fn token(row: &AnyRow) -> Result<StoredPersonalToken, DbError> {
    Ok(StoredPersonalToken {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        created_at: moment(row, "created_at")?,
        last_used_at: optional_moment(row, "last_used_at")?,
        expires_at: optional_moment(row, "expires_at")?,
        revoked_at: optional_moment(row, "revoked_at")?,
        session_id: row.try_get("session_id")?,
    })
}
