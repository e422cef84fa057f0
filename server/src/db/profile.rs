//! What a user calls themselves, and what the achilles CLI is granted for them.

use sqlx::Row as _;

use crate::db::{DbError, Tx};
use crate::rules::achilles_role::AchillesRole;

/// What the achilles CLI is granted for a user, beyond what follows from their workspaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AchillesGrant {
    /// The workspace that the user chose to act in; they may have left it since.
    pub organisation: Option<String>,
    /// The role that the host has granted outside workspaces.
    pub role: Option<AchillesRole>,
}

impl Tx {
    /// What the achilles CLI is granted for this user.
    pub async fn achilles_grant(&mut self, user: &str) -> Result<AchillesGrant, DbError> {
        let row = sqlx::query("SELECT organisation, achilles_role FROM users WHERE id = $1")
            .bind(user)
            .fetch_optional(self.connection())
            .await?;
        let Some(row) = row else { return Ok(AchillesGrant::default()) };
        let role: Option<String> = row.try_get("achilles_role")?;
        let role = role.map(|role| role.parse()).transpose();
        Ok(AchillesGrant {
            organisation: row.try_get("organisation")?,
            role: role.map_err(|_| DbError::Corrupt("users.achilles_role"))?,
        })
    }

    /// Names a user; an empty name takes theirs away. `false` if there is no such user.
    pub async fn set_name(&mut self, user: &str, name: &str) -> Result<bool, DbError> {
        let done = sqlx::query("UPDATE users SET name = $2 WHERE id = $1")
            .bind(user)
            .bind(name)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes the workspace in which the achilles CLI acts for a user; `None`: their oldest one.
    pub async fn set_organisation(&mut self, user: &str, workspace: Option<&str>) -> Result<(), DbError> {
        sqlx::query("UPDATE users SET organisation = $2 WHERE id = $1")
            .bind(user)
            .bind(workspace)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Grants a user a role of the achilles CLI outside workspaces; `None` takes it back.
    pub async fn set_achilles_role(&mut self, user: &str, role: Option<AchillesRole>) -> Result<(), DbError> {
        sqlx::query("UPDATE users SET achilles_role = $2 WHERE id = $1")
            .bind(user)
            .bind(role.map(AchillesRole::as_str))
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
