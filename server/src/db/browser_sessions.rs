//! The cookies of browsers: of those signed in, and of those on their way there. Only hashes of them are stored.

use sqlx::Row as _;

use crate::db::row::{moment, optional_moment};
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::email::Email;
use crate::rules::local_path::LocalPath;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct StoredBrowserSession {
    pub session_id: String,
    /// When the person proved who they are.
    pub proved_at: Timestamp,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
}

/// A browser on its way to being signed in. It opens nothing.
#[derive(Clone, Debug)]
pub struct StoredSignIn {
    /// The address to prove.
    pub email: Email,
    /// Where to go on afterwards.
    pub next: LocalPath,
    /// Who proved it and when, once only a second factor is missing.
    pub proved: Option<(String, Timestamp)>,
    /// When it has to begin anew.
    pub expires_at: Timestamp,
}

impl Tx {
    /// Stores the cookie of a browser that has just signed in.
    pub async fn insert_web_session(
        &mut self,
        hash: &Digest,
        new: &StoredBrowserSession,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO web_sessions (hash, session_id, proved_at, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(hash.bytes().as_slice())
        .bind(new.session_id.as_str())
        .bind(new.proved_at.millis())
        .bind(new.expires_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The browser with this cookie.
    pub async fn web_session(&mut self, hash: &Digest) -> Result<Option<StoredBrowserSession>, DbError> {
        let row = sqlx::query("SELECT session_id, proved_at, expires_at FROM web_sessions WHERE hash = $1")
            .bind(hash.bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            Ok(StoredBrowserSession {
                session_id: row.try_get("session_id")?,
                proved_at: moment(&row, "proved_at")?,
                expires_at: moment(&row, "expires_at")?,
            })
        })
        .transpose()
    }

    /// Stores the cookie of a browser that wants to sign in.
    pub async fn insert_sign_in(&mut self, hash: &Digest, new: &StoredSignIn) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO sign_ins (hash, email, next, user_id, proved_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(hash.bytes().as_slice())
        .bind(new.email.as_str())
        .bind(new.next.as_str())
        .bind(new.proved.as_ref().map(|(user, _)| user.clone()))
        .bind(new.proved.as_ref().map(|(_, at)| at.millis()))
        .bind(new.expires_at.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The sign-in of this cookie, locked until the commit.
    pub async fn sign_in_for_update(&mut self, hash: &Digest) -> Result<Option<StoredSignIn>, DbError> {
        let query = "SELECT email, next, user_id, proved_at, expires_at FROM sign_ins WHERE hash = $1";
        let row = sqlx::query(self.dialect.locking(query, "sign_ins"))
            .bind(hash.bytes().as_slice())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| {
            let user: Option<String> = row.try_get("user_id")?;
            Ok(StoredSignIn {
                email: Email::parse(row.try_get("email")?).map_err(|_| DbError::Corrupt("sign_ins.email"))?,
                next: LocalPath::parse(row.try_get("next")?).ok_or(DbError::Corrupt("sign_ins.next"))?,
                proved: user.zip(optional_moment(&row, "proved_at")?),
                expires_at: moment(&row, "expires_at")?,
            })
        })
        .transpose()
    }

    /// Lets a sign-in go on until `expires_at`.
    pub async fn prolong_sign_in(&mut self, hash: &Digest, expires_at: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE sign_ins SET expires_at = $2 WHERE hash = $1")
            .bind(hash.bytes().as_slice())
            .bind(expires_at.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets a sign-in: its cookie leads nowhere any more.
    pub async fn delete_sign_in(&mut self, hash: &Digest) -> Result<(), DbError> {
        sqlx::query("DELETE FROM sign_ins WHERE hash = $1")
            .bind(hash.bytes().as_slice())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets cookies and sign-ins that lapsed before `horizon`. Returns how many there were.
    pub async fn forget_browsers(&mut self, horizon: Timestamp) -> Result<u64, DbError> {
        let mut gone = 0;
        for query in
            ["DELETE FROM web_sessions WHERE expires_at < $1", "DELETE FROM sign_ins WHERE expires_at < $1"]
        {
            let done = sqlx::query(query).bind(horizon.millis()).execute(self.connection()).await?;
            gone += done.rows_affected();
        }
        Ok(gone)
    }
}
