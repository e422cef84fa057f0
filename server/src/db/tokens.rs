//! Refresh tokens, by their hash.

use sqlx::Row as _;

use crate::db::row::{moment, optional_moment};
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct StoredToken {
    pub session_id: String,
    /// Its generation within the session.
    pub generation: i64,
    pub expires_at: Timestamp,
    pub consumed: Option<Consumed>,
}

/// How a refresh token was consumed.
#[derive(Clone, Debug)]
pub struct Consumed {
    pub at: Timestamp,
    /// With which idempotency key, if any.
    pub with: Option<ConsumedWith>,
}

/// The idempotency key of a consumption.
#[derive(Clone, Debug)]
pub struct ConsumedWith {
    pub key: Digest,
    /// The server key that the successor derives from.
    pub server_key: String,
}

#[derive(Debug)]
pub struct NewToken<'a> {
    pub hash: Digest,
    pub session: &'a str,
    /// Its generation within the session.
    pub generation: i64,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Tx {
    pub async fn insert_token(&mut self, token: &NewToken<'_>) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO refresh_tokens (hash, session_id, generation, issued_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(token.hash.bytes().as_slice())
        .bind(token.session)
        .bind(token.generation)
        .bind(token.issued_at.millis())
        .bind(token.expires_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The token with this hash, locked until the commit.
    pub async fn token_for_update(&mut self, hash: &Digest) -> Result<Option<StoredToken>, DbError> {
        let query = "SELECT session_id, generation, expires_at, consumed_at, consumed_key, successor_key
            FROM refresh_tokens WHERE hash = $1";
        let row = sqlx::query(self.dialect.locking(query, "refresh_tokens"))
            .bind(hash.bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            let key: Option<Vec<u8>> = row.try_get("consumed_key")?;
            let with = match (key, row.try_get("successor_key")?) {
                (Some(key), Some(server_key)) => Some(ConsumedWith {
                    key: Digest::from_slice(&key).ok_or(DbError::Corrupt("refresh_tokens.consumed_key"))?,
                    server_key,
                }),
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => {
                    return Err(DbError::Corrupt("refresh_tokens.successor_key"));
                }
            };
            Ok(StoredToken {
                session_id: row.try_get("session_id")?,
                generation: row.try_get("generation")?,
                expires_at: moment(&row, "expires_at")?,
                consumed: optional_moment(&row, "consumed_at")?.map(|at| Consumed { at, with }),
            })
        })
        .transpose()
    }

    /// The hash and lapse of a session's token of one generation.
    pub async fn token_of(
        &mut self,
        session: &str,
        generation: i64,
    ) -> Result<Option<(Digest, Timestamp)>, DbError> {
        let row = sqlx::query(
            "SELECT hash, expires_at FROM refresh_tokens WHERE session_id = $1 AND generation = $2",
        )
        .bind(session)
        .bind(generation)
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            let hash =
                Digest::from_slice(row.try_get("hash")?).ok_or(DbError::Corrupt("refresh_tokens.hash"))?;
            Ok((hash, moment(&row, "expires_at")?))
        })
        .transpose()
    }

    /// Consumes a token. `false` if it was consumed already.
    pub async fn consume_token(&mut self, hash: &Digest, consumed: &Consumed) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE refresh_tokens SET consumed_at = $2, consumed_key = $3, successor_key = $4
             WHERE hash = $1 AND consumed_at IS NULL",
        )
        .bind(hash.bytes().as_slice())
        .bind(consumed.at.millis())
        .bind(consumed.with.as_ref().map(|with| with.key.bytes().to_vec()))
        .bind(consumed.with.as_ref().map(|with| with.server_key.clone()))
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets consumed tokens that lapsed before `horizon`: used again they are unknown, not replays.
    pub async fn forget_tokens(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done =
            sqlx::query("DELETE FROM refresh_tokens WHERE consumed_at IS NOT NULL AND expires_at < $1")
                .bind(horizon.millis())
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected())
    }
}
