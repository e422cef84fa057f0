//! Which workspaces a user is in, and as what. The rest of workspaces is in `teams`.

use sqlx::Row as _;

use crate::db::{DbError, Tx};
use crate::rules::role::Role;

/// A user's place in a workspace.
#[derive(Clone, Debug)]
pub struct Membership {
    pub workspace: String,
    /// The workspace's name.
    pub name: String,
    pub role: Role,
}

impl Tx {
    /// The memberships of a user, the oldest workspace first.
    pub async fn memberships_of(&mut self, user: &str) -> Result<Vec<Membership>, DbError> {
        let rows = sqlx::query(
            "SELECT w.id, w.name, m.role FROM members m JOIN workspaces w ON w.id = m.workspace_id
             WHERE m.user_id = $1 ORDER BY w.created_at, w.id",
        )
        .bind(user)
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Membership {
                    workspace: row.try_get("id")?,
                    name: row.try_get("name")?,
                    role: role(row.try_get("role")?)?,
                })
            })
            .collect()
    }
}

/// Reads a role as it is stored.
pub(crate) fn role(word: &str) -> Result<Role, DbError> {
    word.parse().map_err(|_| DbError::Corrupt("members.role"))
}
