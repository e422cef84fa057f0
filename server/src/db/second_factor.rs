//! Second factors: sealed secrets, hashes of recovery codes, hashes of remembered browsers' cookies.

use std::time::Duration;

use sqlx::Row as _;

use crate::db::row::{moment, optional_moment};
use crate::db::sessions::SessionEndReason;
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct StoredFactor {
    /// The server key that its secrets are sealed under.
    pub key_id: String,
    pub sealed: Vec<u8>,
    /// When it was shown to work; before that it counts for nothing.
    pub confirmed_at: Option<Timestamp>,
}

/// A browser that is remembered, found by a cookie that it has used up.
#[derive(Clone, Debug)]
pub struct SpentBrowser {
    /// The remembered browser's id.
    pub browser: String,
    /// When the cookie was used up.
    pub at: Timestamp,
}

/// A browser that is spared the second factor.
#[derive(Clone, Debug)]
pub struct RememberedBrowser {
    pub id: String,
    pub user_id: String,
    /// What it calls itself.
    pub program: String,
    pub created_at: Timestamp,
    /// When that last mattered.
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Tx {
    /// The second factor of a user, confirmed or not, locked until the commit.
    pub async fn factor_for_update(&mut self, user: &str) -> Result<Option<StoredFactor>, DbError> {
        let query = "SELECT key_id, sealed, confirmed_at FROM second_factors WHERE user_id = $1";
        let row = sqlx::query(self.dialect.locking(query, "second_factors"))
            .bind(user)
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            Ok(StoredFactor {
                key_id: row.try_get("key_id")?,
                sealed: row.try_get("sealed")?,
                confirmed_at: optional_moment(&row, "confirmed_at")?,
            })
        })
        .transpose()
    }

    /// Whether a user has a second factor that counts.
    pub async fn has_factor(&mut self, user: &str) -> Result<bool, DbError> {
        let query = "SELECT 1 AS one FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL";
        Ok(sqlx::query(query).bind(user).fetch_optional(self.connection()).await?.is_some())
    }

    /// Stores a second factor that is not confirmed yet, in place of another such one.
    pub async fn put_factor(
        &mut self,
        user: &str,
        key_id: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO second_factors (user_id, key_id, sealed, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE
             SET key_id = excluded.key_id, sealed = excluded.sealed, created_at = excluded.created_at
             WHERE second_factors.confirmed_at IS NULL",
        )
        .bind(user)
        .bind(key_id)
        .bind(sealed)
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Lets a second factor count.
    pub async fn confirm_factor(&mut self, user: &str, now: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE second_factors SET confirmed_at = $2 WHERE user_id = $1")
            .bind(user)
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Stores the same secrets sealed under another key.
    pub async fn reseal_factor(&mut self, user: &str, key_id: &str, sealed: &[u8]) -> Result<(), DbError> {
        sqlx::query("UPDATE second_factors SET key_id = $2, sealed = $3 WHERE user_id = $1")
            .bind(user)
            .bind(key_id)
            .bind(sealed)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Up to 100 users whose secrets are sealed under another key than this one, and whose ids come after `after`.
    pub async fn factors_not_under(&mut self, key_id: &str, after: &str) -> Result<Vec<String>, DbError> {
        let rows = sqlx::query(
            "SELECT user_id FROM second_factors WHERE key_id <> $1 AND user_id > $2 ORDER BY user_id LIMIT 100",
        )
        .bind(key_id)
        .bind(after)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| Ok(row.try_get("user_id")?)).collect()
    }

    /// Takes a second factor away, with its recovery codes and remembered browsers. `false` if there was none.
    pub async fn delete_factor(&mut self, user: &str) -> Result<bool, DbError> {
        let done = sqlx::query("DELETE FROM second_factors WHERE user_id = $1")
            .bind(user)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Accepts a TOTP step, once: `false` if it or a later one was accepted before.
    pub async fn accept_step(&mut self, user: &str, step: i64) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND (last_step IS NULL OR last_step < $2)",
        )
        .bind(user)
        .bind(step)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores recovery codes in place of all earlier ones.
    pub async fn put_recovery_codes(&mut self, user: &str, hashes: &[Digest]) -> Result<(), DbError> {
        sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1")
            .bind(user)
            .execute(self.connection())
            .await?;
        for hash in hashes {
            sqlx::query("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
                .bind(user)
                .bind(hash.bytes().as_slice())
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Uses a recovery code up, once: `false` if there is none or it was used before.
    pub async fn use_recovery_code(
        &mut self,
        user: &str,
        hash: &Digest,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL",
        )
        .bind(user)
        .bind(hash.bytes().as_slice())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many recovery codes are left.
    pub async fn recovery_codes_left(&mut self, user: &str) -> Result<i64, DbError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS codes FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL",
        )
        .bind(user)
        .fetch_one(self.connection())
        .await?;
        Ok(row.try_get("codes")?)
    }

    /// Remembers a browser by the hash of its cookie.
    pub async fn insert_remembered(&mut self, hash: &Digest, new: &RememberedBrowser) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO remembered_browsers (id, user_id, hash, program, created_at, last_used_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.id.as_str())
        .bind(new.user_id.as_str())
        .bind(hash.bytes().as_slice())
        .bind(new.program.as_str())
        .bind(new.created_at.millis())
        .bind(new.last_used_at.millis())
        .bind(new.expires_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Gives a user's remembered browser another cookie. `false` if the old one was not theirs, or has lapsed.
    pub async fn rotate_remembered(
        &mut self,
        user: &str,
        old: &Digest,
        new: &Digest,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE remembered_browsers SET hash = $3, last_used_at = $4
             WHERE user_id = $1 AND hash = $2 AND expires_at > $4 AND forgotten_at IS NULL",
        )
        .bind(user)
        .bind(old.bytes().as_slice())
        .bind(new.bytes().as_slice())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO spent_browsers (hash, browser_id, spent_at)
             SELECT $1, id, $4 FROM remembered_browsers WHERE user_id = $2 AND hash = $3",
        )
        .bind(old.bytes().as_slice())
        .bind(user)
        .bind(new.bytes().as_slice())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(true)
    }

    /// The user's remembered browser whose cookie this was, even if they have had it forgotten.
    pub async fn spent_browser(
        &mut self,
        user: &str,
        hash: &Digest,
    ) -> Result<Option<SpentBrowser>, DbError> {
        let row = sqlx::query(
            "SELECT r.id, s.spent_at FROM spent_browsers s JOIN remembered_browsers r ON r.id = s.browser_id
             WHERE s.hash = $1 AND r.user_id = $2",
        )
        .bind(hash.bytes().as_slice())
        .bind(user)
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| Ok(SpentBrowser { browser: row.try_get("id")?, at: moment(&row, "spent_at")? }))
            .transpose()
    }

    /// A user's remembered browsers that have not lapsed, the latest used first.
    pub async fn remembered_of(
        &mut self,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<RememberedBrowser>, DbError> {
        let rows = sqlx::query(
            "SELECT id, user_id, program, created_at, last_used_at, expires_at FROM remembered_browsers
             WHERE user_id = $1 AND expires_at > $2 AND forgotten_at IS NULL ORDER BY last_used_at DESC, id",
        )
        .bind(user)
        .bind(now.millis())
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(RememberedBrowser {
                    id: row.try_get("id")?,
                    user_id: row.try_get("user_id")?,
                    program: row.try_get("program")?,
                    created_at: moment(row, "created_at")?,
                    last_used_at: moment(row, "last_used_at")?,
                    expires_at: moment(row, "expires_at")?,
                })
            })
            .collect()
    }

    /// Spares one browser of a user nothing any more. `false` if they have none with this id. What it has used up is still
    /// known: else a thief could have it forgotten so that nobody notices.
    pub async fn forget_remembered(&mut self, user: &str, id: &str, now: Timestamp) -> Result<bool, DbError> {
        let done = sqlx::query(
            "UPDATE remembered_browsers SET forgotten_at = $3 WHERE user_id = $1 AND id = $2 AND forgotten_at IS NULL",
        )
        .bind(user)
        .bind(id)
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deletes one remembered browser of a user with all that is known of it.
    pub async fn delete_remembered(&mut self, user: &str, id: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM remembered_browsers WHERE user_id = $1 AND id = $2")
            .bind(user)
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets every remembered browser of a user.
    pub async fn forget_all_remembered(&mut self, user: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM remembered_browsers WHERE user_id = $1")
            .bind(user)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets browsers that are remembered no more, and second factors that were not confirmed within a day.
    /// Returns how many there were.
    pub async fn forget_factors(&mut self, now: Timestamp) -> Result<u64, DbError> {
        let browsers = sqlx::query("DELETE FROM remembered_browsers WHERE expires_at <= $1")
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        let factors =
            sqlx::query("DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at <= $1")
                .bind(now.minus(Duration::from_secs(86_400)).millis())
                .execute(self.connection())
                .await?;
        Ok(browsers.rows_affected() + factors.rows_affected())
    }

    /// Ends the sessions of a user's other browsers: they were begun without the second factor.
    pub async fn end_other_browsers_of(
        &mut self,
        user: &str,
        mine: &str,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let rows = sqlx::query(
            "SELECT id FROM sessions
             WHERE user_id = $1 AND id <> $2 AND grant_kind = 'web' AND revoked_at IS NULL",
        )
        .bind(user)
        .bind(mine)
        .fetch_all(self.connection())
        .await?;
        for row in rows {
            self.end_session(row.try_get("id")?, SessionEndReason::Logout, now).await?;
        }
        Ok(())
    }
}
