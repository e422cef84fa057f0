//! Authorization codes, by their hash.

use sqlx::Row as _;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::oauth::pkce::Challenge;
use crate::time::Timestamp;

/// What a user allowed a client, until the client comes for it.
#[derive(Clone, Debug)]
pub struct Authorization {
    pub client: String,
    pub user: String,
    /// The redirect address that was asked for, to the letter.
    pub redirect: String,
    /// What the client must prove to know.
    pub challenge: Challenge,
    pub scope: String,
    /// What the client wants to find in the id_token.
    pub nonce: Option<String>,
    /// When the user proved who they are.
    pub auth_time: Timestamp,
    pub expires_at: Timestamp,
    /// The session in which the user allowed it, if that was kept.
    pub approved_by: Option<String>,
    /// The session that its first use began.
    pub session: Option<String>,
}

impl Tx {
    /// Stores a code that has not been used.
    pub async fn insert_authorization(&mut self, hash: &Digest, new: &Authorization) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO authorization_codes (hash, client_id, user_id, redirect_uri, challenge, scope, nonce,
                auth_time, expires_at, approved_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(hash.bytes().as_slice())
        .bind(new.client.as_str())
        .bind(new.user.as_str())
        .bind(new.redirect.as_str())
        .bind(new.challenge.digest().bytes().as_slice())
        .bind(new.scope.as_str())
        .bind(new.nonce.as_deref())
        .bind(new.auth_time.millis())
        .bind(new.expires_at.millis())
        .bind(new.approved_by.as_deref())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What the code with this hash stands for, locked until the commit.
    pub async fn authorization_for_update(
        &mut self,
        hash: &Digest,
    ) -> Result<Option<Authorization>, DbError> {
        let query = "SELECT client_id, user_id, redirect_uri, challenge, scope, nonce, auth_time, expires_at,
            approved_by, session_id FROM authorization_codes WHERE hash = $1";
        let row = sqlx::query(self.dialect.locking(query, "authorization_codes"))
            .bind(hash.bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            let challenge = Digest::from_slice(row.try_get("challenge")?)
                .ok_or(DbError::Corrupt("authorization_codes.challenge"))?;
            Ok(Authorization {
                client: row.try_get("client_id")?,
                user: row.try_get("user_id")?,
                redirect: row.try_get("redirect_uri")?,
                challenge: Challenge::from_digest(challenge),
                scope: row.try_get("scope")?,
                nonce: row.try_get("nonce")?,
                auth_time: moment(&row, "auth_time")?,
                expires_at: moment(&row, "expires_at")?,
                approved_by: row.try_get("approved_by")?,
                session: row.try_get("session_id")?,
            })
        })
        .transpose()
    }

    /// Notes that a code has been used, and which session that began. `false` if it was used before.
    pub async fn use_authorization(&mut self, hash: &Digest, session: &str) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE authorization_codes SET session_id = $2 WHERE hash = $1 AND session_id IS NULL",
        )
        .bind(hash.bytes().as_slice())
        .bind(session)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets codes that lapsed before `horizon`. Returns how many there were.
    pub async fn forget_authorizations(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM authorization_codes WHERE expires_at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}
