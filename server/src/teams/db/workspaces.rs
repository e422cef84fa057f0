//! Workspaces and who is in them.

use sqlx::Row as _;
use uuid::Uuid;

use crate::db::memberships::role;
use crate::db::row::moment;
use crate::db::users::StoredUser;
use crate::db::{DbError, Tx};
use crate::rules::role::Role;
use crate::time::Timestamp;

/// Someone's place in a workspace. Only [`Tx::seat`] makes one and every query of a workspace's data asks for one,
/// so nothing of a workspace can be read before its membership was.
#[derive(Clone, Debug)]
pub struct Seat {
    workspace: String,
    role: Role,
}

impl Seat {
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The role of whoever has this seat.
    pub fn role(&self) -> Role {
        self.role
    }
}

/// A workspace as one of its members sees it.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub user_id: String,
    pub email: String,
    /// What they call themselves; may be empty.
    pub name: String,
    pub role: Role,
    /// Since when they are a member.
    pub joined_at: Timestamp,
}

impl Tx {
    /// The seat of a user in a workspace. `None` if they have none, or there is no such workspace.
    pub async fn seat(&mut self, workspace: Uuid, user: &str) -> Result<Option<Seat>, DbError> {
        let workspace = workspace.to_string();
        let row = sqlx::query("SELECT role FROM members WHERE workspace_id = $1 AND user_id = $2")
            .bind(workspace.as_str())
            .bind(user)
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| Ok(Seat { role: role(row.try_get("role")?)?, workspace })).transpose()
    }

    /// Makes a workspace whose only member and owner is `owner`.
    pub async fn insert_workspace(
        &mut self,
        name: &str,
        owner: &StoredUser,
        now: Timestamp,
    ) -> Result<Workspace, DbError> {
        let id = Uuid::new_v4().to_string();
        sqlx::query("INSERT INTO workspaces (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(name)
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        self.insert_member(&id, &owner.id, Role::Owner, now).await?;
        Ok(Workspace { id, name: name.to_owned(), role: Role::Owner, created_at: now })
    }

    /// The workspaces a user is a member of, oldest first.
    pub async fn workspaces_of(&mut self, user: &str) -> Result<Vec<Workspace>, DbError> {
        let rows = sqlx::query(
            "SELECT w.id, w.name, w.created_at, m.role FROM members m JOIN workspaces w ON w.id = m.workspace_id
             WHERE m.user_id = $1 ORDER BY w.created_at, w.id",
        )
        .bind(user)
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Workspace {
                    id: row.try_get("id")?,
                    name: row.try_get("name")?,
                    role: role(row.try_get("role")?)?,
                    created_at: moment(row, "created_at")?,
                })
            })
            .collect()
    }

    pub async fn workspace(&mut self, seat: &Seat) -> Result<Workspace, DbError> {
        let row = sqlx::query("SELECT name, created_at FROM workspaces WHERE id = $1")
            .bind(seat.workspace())
            .fetch_one(self.connection())
            .await?;
        Ok(Workspace {
            id: seat.workspace.clone(),
            name: row.try_get("name")?,
            role: seat.role,
            created_at: moment(&row, "created_at")?,
        })
    }

    pub async fn rename_workspace(&mut self, seat: &Seat, name: &str) -> Result<(), DbError> {
        sqlx::query("UPDATE workspaces SET name = $2 WHERE id = $1")
            .bind(seat.workspace())
            .bind(name)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Deletes the workspace with its members, invitations, reports and links.
    pub async fn delete_workspace(&mut self, seat: &Seat) -> Result<(), DbError> {
        sqlx::query("DELETE FROM workspaces WHERE id = $1")
            .bind(seat.workspace())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Makes a user a member. `false` if they are one already, which changes nothing.
    pub async fn insert_member(
        &mut self,
        workspace: &str,
        user: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let done = sqlx::query(
            "INSERT INTO members (workspace_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (workspace_id, user_id) DO NOTHING",
        )
        .bind(workspace)
        .bind(user)
        .bind(role.as_str())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The members, longest-standing first.
    pub async fn members(&mut self, seat: &Seat) -> Result<Vec<Member>, DbError> {
        let rows = sqlx::query(
            "SELECT u.id, u.email, u.name, m.role, m.joined_at FROM members m JOIN users u ON u.id = m.user_id
             WHERE m.workspace_id = $1 ORDER BY m.joined_at, u.id",
        )
        .bind(seat.workspace())
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Member {
                    user_id: row.try_get("id")?,
                    email: row.try_get("email")?,
                    name: row.try_get("name")?,
                    role: role(row.try_get("role")?)?,
                    joined_at: moment(row, "joined_at")?,
                })
            })
            .collect()
    }

    /// How many owners with an active account there are besides this user.
    pub async fn other_owners(&mut self, seat: &Seat, user: &str) -> Result<u32, DbError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS owners FROM members m JOIN users u ON u.id = m.user_id
             WHERE m.workspace_id = $1 AND m.user_id <> $2 AND m.role = 'owner' AND u.status = 'active'",
        )
        .bind(seat.workspace())
        .bind(user)
        .fetch_one(self.connection())
        .await?;
        u32::try_from(row.try_get::<i64, _>("owners")?).map_err(|_| DbError::Corrupt("members.role"))
    }

    pub async fn set_role(&mut self, seat: &Seat, user: &str, role: Role) -> Result<(), DbError> {
        sqlx::query("UPDATE members SET role = $3 WHERE workspace_id = $1 AND user_id = $2")
            .bind(seat.workspace())
            .bind(user)
            .bind(role.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    pub async fn delete_member(&mut self, seat: &Seat, user: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM members WHERE workspace_id = $1 AND user_id = $2")
            .bind(seat.workspace())
            .bind(user)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
