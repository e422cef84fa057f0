//! Login codes: the newest of each email, as a keyed hash.

use sqlx::Row as _;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::code_guess::CodeFacts;
use crate::rules::email::Email;
use crate::time::Timestamp;

#[derive(Debug)]
pub struct StoredCode {
    /// Its own id, part of what is hashed.
    pub id: String,
    /// The server key its hash was made with.
    pub key_id: String,
    pub hash: Digest,
    /// What the rules look at.
    pub facts: CodeFacts,
}

impl Tx {
    /// Stores a new code; an older one of the same email is forgotten.
    pub async fn put_code(
        &mut self,
        email: &Email,
        id: &str,
        key_id: &str,
        hash: &Digest,
        expires_at: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO login_codes (email, id, key_id, code_hash, expires_at, guesses, used)
             VALUES ($1, $2, $3, $4, $5, 0, 0)
             ON CONFLICT (email) DO UPDATE SET id = excluded.id, key_id = excluded.key_id,
                 code_hash = excluded.code_hash, expires_at = excluded.expires_at, guesses = 0, used = 0",
        )
        .bind(email.as_str())
        .bind(id)
        .bind(key_id)
        .bind(hash.bytes().as_slice())
        .bind(expires_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The newest code of an email, locked until the commit.
    pub async fn code_for_update(&mut self, email: &Email) -> Result<Option<StoredCode>, DbError> {
        let query =
            "SELECT id, key_id, code_hash, expires_at, guesses, used FROM login_codes WHERE email = $1";
        let row = sqlx::query(self.dialect.locking(query, "login_codes"))
            .bind(email.as_str())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            let guesses: i64 = row.try_get("guesses")?;
            Ok(StoredCode {
                id: row.try_get("id")?,
                key_id: row.try_get("key_id")?,
                hash: Digest::from_slice(row.try_get("code_hash")?)
                    .ok_or(DbError::Corrupt("login_codes.code_hash"))?,
                facts: CodeFacts {
                    expires_at: moment(&row, "expires_at")?,
                    guesses: u32::try_from(guesses).map_err(|_| DbError::Corrupt("login_codes.guesses"))?,
                    used: row.try_get::<i64, _>("used")? != 0,
                },
            })
        })
        .transpose()
    }

    /// Counts one guess at an email's code, if there is one.
    pub async fn count_guess(&mut self, email: &Email) -> Result<(), DbError> {
        sqlx::query("UPDATE login_codes SET guesses = guesses + 1 WHERE email = $1")
            .bind(email.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Uses a code up. `false` if it was used or replaced meanwhile.
    pub async fn use_code(&mut self, email: &Email, id: &str) -> Result<bool, DbError> {
        let done = sqlx::query("UPDATE login_codes SET used = 1 WHERE email = $1 AND id = $2 AND used = 0")
            .bind(email.as_str())
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a code back that was used up, with the guess at it. `false` if it was replaced meanwhile.
    pub async fn give_code_back(&mut self, email: &Email, id: &str) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE login_codes SET used = 0, guesses = guesses - 1 WHERE email = $1 AND id = $2 AND guesses > 0",
        )
        .bind(email.as_str())
        .bind(id)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets codes that expired before `horizon`. Returns how many there were.
    pub async fn forget_codes(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM login_codes WHERE expires_at < $1")
            .bind(horizon.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}
