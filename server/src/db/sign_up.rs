//! Who may sign up.

use sqlx::Row as _;

use crate::db::memberships::role;
use crate::db::{DbError, Tx};
use crate::rules::email::Email;
use crate::rules::sign_up::{SignUpEntry, SignUpFacts, SignUpMode};
use crate::time::Timestamp;

impl Tx {
    /// What somebody has decided; `None` if nobody has.
    pub async fn sign_up_mode(&mut self) -> Result<Option<SignUpMode>, DbError> {
        let row =
            sqlx::query("SELECT mode FROM sign_up WHERE id = 1").fetch_optional(self.connection()).await?;
        row.map(|row| row.try_get::<&str, _>("mode")?.parse().map_err(|_| DbError::Corrupt("sign_up.mode")))
            .transpose()
    }

    pub async fn set_sign_up_mode(&mut self, mode: SignUpMode) -> Result<(), DbError> {
        sqlx::query("INSERT INTO sign_up (id, mode) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET mode = $1")
            .bind(mode.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// What is known of an address; the same queries for each.
    pub async fn sign_up_facts(&mut self, email: &Email, now: Timestamp) -> Result<SignUpFacts, DbError> {
        let [address, domain] = SignUpEntry::that_admit(email);
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM users WHERE email = $1) AS accounts,
                    (SELECT COUNT(*) FROM sign_up_list WHERE entry IN ($2, $3)) AS listed",
        )
        .bind(email.as_str())
        .bind(address.as_str())
        .bind(domain.as_str())
        .fetch_one(self.connection())
        .await?;
        let some = |column| row.try_get::<i64, _>(column).map(|count| count > 0);
        Ok(SignUpFacts {
            has_account: some("accounts")?,
            is_listed: some("listed")?,
            is_invited: self.is_invited(email, now).await?,
        })
    }

    /// Whether somebody has invited an address into a workspace who may still do so.
    async fn is_invited(&mut self, email: &Email, now: Timestamp) -> Result<bool, DbError> {
        let rows = sqlx::query(
            "SELECT i.role, m.role AS maker_role FROM invitations i JOIN users u ON u.id = i.maker_id
             JOIN members m ON m.workspace_id = i.workspace_id AND m.user_id = i.maker_id
             WHERE i.email = $1 AND i.expires_at > $2 AND u.status = 'active'",
        )
        .bind(email.as_str())
        .bind(now.millis())
        .fetch_all(self.connection())
        .await?;
        for row in &rows {
            if role(row.try_get("maker_role")?)?.may_invite(role(row.try_get("role")?)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Everybody on the list, by name.
    pub async fn sign_up_list(&mut self) -> Result<Vec<SignUpEntry>, DbError> {
        let rows =
            sqlx::query("SELECT entry FROM sign_up_list ORDER BY entry").fetch_all(self.connection()).await?;
        let entry = |text: &str| SignUpEntry::parse(text).map_err(|_| DbError::Corrupt("sign_up_list.entry"));
        rows.iter().map(|row| entry(row.try_get("entry")?)).collect()
    }

    /// Puts somebody on the list. `false` if they were there.
    pub async fn list_for_sign_up(&mut self, entry: &SignUpEntry, now: Timestamp) -> Result<bool, DbError> {
        let done = sqlx::query(
            "INSERT INTO sign_up_list (entry, added_at) VALUES ($1, $2) ON CONFLICT (entry) DO NOTHING",
        )
        .bind(entry.as_str())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes somebody off the list. `false` if they were not there.
    pub async fn unlist_for_sign_up(&mut self, entry: &SignUpEntry) -> Result<bool, DbError> {
        let done = sqlx::query("DELETE FROM sign_up_list WHERE entry = $1")
            .bind(entry.as_str())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
