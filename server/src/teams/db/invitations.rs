//! Invitations into workspaces, by email address. Whether the address has an account is never looked at.

use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::db::memberships::role;
use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::rules::email::Email;
use crate::rules::role::Role;
use crate::teams::db::workspaces::Seat;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: String,
    pub workspace_id: String,
    pub workspace_name: String,
    pub email: String,
    pub role: Role,
    pub maker_email: String,
    /// The maker's present role in the workspace: none if they left, or if their account is disabled.
    pub maker_role: Option<Role>,
    pub expires_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.workspace_id, w.name, i.email, i.role, u.email AS maker_email, m.role AS maker_role,
                i.expires_at
            FROM invitations i JOIN workspaces w ON w.id = i.workspace_id JOIN users u ON u.id = i.maker_id
            LEFT JOIN members m ON m.workspace_id = i.workspace_id AND m.user_id = i.maker_id
                AND u.status = 'active' ",
            $rest
        )
    };
}

impl Tx {
    /// Invites an address, in place of any earlier invitation of it into the same workspace, for a user and the session
    /// they do it from. Returns the new id.
    pub async fn put_invitation(
        &mut self,
        seat: &Seat,
        email: &Email,
        role: Role,
        (maker, session): (&str, &str),
        expires_at: Timestamp,
    ) -> Result<String, DbError> {
        let id = Uuid::new_v4().to_string();
        sqlx::query(
            "INSERT INTO invitations (id, workspace_id, email, role, maker_id, expires_at, session_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (workspace_id, email) DO UPDATE
             SET id = excluded.id, role = excluded.role, maker_id = excluded.maker_id,
                 expires_at = excluded.expires_at, session_id = excluded.session_id",
        )
        .bind(id.as_str())
        .bind(seat.workspace())
        .bind(email.as_str())
        .bind(role.as_str())
        .bind(maker)
        .bind(expires_at.millis())
        .bind(session)
        .execute(self.connection())
        .await?;
        Ok(id)
    }

    /// The invitations into a workspace that have not lapsed.
    pub async fn invitations_into(
        &mut self,
        seat: &Seat,
        now: Timestamp,
    ) -> Result<Vec<Invitation>, DbError> {
        let rows = sqlx::query(select!(
            "WHERE i.workspace_id = $1 AND i.expires_at > $2 ORDER BY i.expires_at, i.id"
        ))
        .bind(seat.workspace())
        .bind(now.millis())
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(invitation).collect()
    }

    /// The invitations of an address that have not lapsed.
    pub async fn invitations_of(&mut self, email: &str, now: Timestamp) -> Result<Vec<Invitation>, DbError> {
        let rows =
            sqlx::query(select!("WHERE i.email = $1 AND i.expires_at > $2 ORDER BY i.expires_at, i.id"))
                .bind(email)
                .bind(now.millis())
                .fetch_all(self.connection())
                .await?;
        rows.iter().map(invitation).collect()
    }

    /// Deletes an invitation. `false` if there was none.
    pub async fn delete_invitation(&mut self, id: &str) -> Result<bool, DbError> {
        let done =
            sqlx::query("DELETE FROM invitations WHERE id = $1").bind(id).execute(self.connection()).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets what lapsed before `now`. Returns how many there were.
    pub async fn forget_invitations(&mut self, now: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM invitations WHERE expires_at <= $1")
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }
}

fn invitation(row: &AnyRow) -> Result<Invitation, DbError> {
    Ok(Invitation {
        id: row.try_get("id")?,
        workspace_id: row.try_get("workspace_id")?,
        workspace_name: row.try_get("name")?,
        email: row.try_get("email")?,
        role: role(row.try_get("role")?)?,
        maker_email: row.try_get("maker_email")?,
        maker_role: row.try_get::<Option<String>, _>("maker_role")?.as_deref().map(role).transpose()?,
        expires_at: moment(row, "expires_at")?,
    })
}
