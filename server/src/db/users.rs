//! Users: one per email address.

use std::str::FromStr;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::rules::email::Email;
use crate::rules::unknown_value::UnknownValue;
use crate::time::Timestamp;

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    Active,
    /// It may not: no sign-in, no refresh, no access.
    Disabled,
}

impl AccountStatus {
    /// The word for it on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for AccountStatus {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Active, Self::Disabled].into_iter().find(|status| status.as_str() == text).ok_or(UnknownValue)
    }
}

/// A role in the installation, apart from any role in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// None: a user like any other.
    None,
    /// May look after users and sessions.
    Admin,
}

impl Platform {
    /// The word for it in the database and in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Platform {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::None, Self::Admin].into_iter().find(|role| role.as_str() == text).ok_or(UnknownValue)
    }
}

#[derive(Clone, Debug)]
pub struct StoredUser {
    pub id: String,
    /// The address they sign in with.
    pub email: String,
    /// What they call themselves; may be empty.
    pub name: String,
    /// Their plan, which sets some limits.
    pub plan: String,
    /// What they may do to the installation itself.
    pub platform: Platform,
    /// Whether the account may be used.
    pub status: AccountStatus,
    /// When they first signed in.
    pub created_at: Timestamp,
}

impl Tx {
    /// The user with this email, made now if there is none.
    pub async fn user_by_email(&mut self, email: &Email, now: Timestamp) -> Result<StoredUser, DbError> {
        sqlx::query(
            "INSERT INTO users (id, email, status, created_at) VALUES ($1, $2, 'active', $3)
             ON CONFLICT (email) DO NOTHING",
        )
        .bind(uuid::Uuid::new_v4().to_string())
        .bind(email.as_str())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        let row = sqlx::query(
            "SELECT id, email, name, plan, platform_role, status, created_at FROM users WHERE email = $1",
        )
        .bind(email.as_str())
        .fetch_one(self.connection())
        .await?;
        user(&row)
    }

    pub async fn user(&mut self, id: &str) -> Result<Option<StoredUser>, DbError> {
        let row = sqlx::query(
            "SELECT id, email, name, plan, platform_role, status, created_at FROM users WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.connection())
        .await?;
        row.as_ref().map(user).transpose()
    }

    /// Puts a user on a plan. `false` if there is no such user.
    pub async fn set_plan(&mut self, id: &str, plan: &str) -> Result<bool, DbError> {
        let done = sqlx::query("UPDATE users SET plan = $2 WHERE id = $1")
            .bind(id)
            .bind(plan)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Up to `most` users whose ids come after `after`, by id.
    pub async fn users_after(&mut self, after: &str, most: u32) -> Result<Vec<StoredUser>, DbError> {
        let rows = sqlx::query(
            "SELECT id, email, name, plan, platform_role, status, created_at FROM users
             WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(user).collect()
    }

    /// Lets an account be used, or not. `false` if there is no such user.
    pub async fn set_status(&mut self, id: &str, status: AccountStatus) -> Result<bool, DbError> {
        let done = sqlx::query("UPDATE users SET status = $2 WHERE id = $1")
            .bind(id)
            .bind(status.as_str())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a user a platform role, or takes it. `false` if there is no such user.
    pub async fn set_platform_role(&mut self, id: &str, role: Platform) -> Result<bool, DbError> {
        let done = sqlx::query("UPDATE users SET platform_role = $2 WHERE id = $1")
            .bind(id)
            .bind(role.as_str())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether anyone has ever signed in.
    pub async fn has_users(&mut self) -> Result<bool, DbError> {
        let row = sqlx::query("SELECT id FROM users LIMIT 1").fetch_optional(self.connection()).await?;
        Ok(row.is_some())
    }
}

pub(super) fn user(row: &AnyRow) -> Result<StoredUser, DbError> {
    Ok(StoredUser {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        plan: row.try_get("plan")?,
        platform: platform(row)?,
        status: status(row)?,
        created_at: moment(row, "created_at")?,
    })
}

/// Reads the column `platform_role`.
pub(super) fn platform(row: &AnyRow) -> Result<Platform, DbError> {
    row.try_get::<&str, _>("platform_role")?.parse().map_err(|_| DbError::Corrupt("users.platform_role"))
}

/// Reads the column `status`.
pub fn status(row: &AnyRow) -> Result<AccountStatus, DbError> {
    row.try_get::<&str, _>("status")?.parse().map_err(|_| DbError::Corrupt("users.status"))
}
