//! Links that share one report each, by the hash of their token.

use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::db::memberships::role;
use crate::db::row::{moment, optional_moment};
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::teams::db::workspaces::Seat;
use crate::teams::rules::share::ShareFacts;
use crate::time::Timestamp;

/// A link, for those who manage it. Its token is not known any more.
#[derive(Clone, Debug)]
pub struct Share {
    pub id: String,
    pub maker_email: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub opened: i64,
    pub last_opened_at: Option<Timestamp>,
    /// What tells whether it works.
    pub facts: ShareFacts,
}

/// What a link shows: one report, and nothing of where it comes from.
#[derive(Clone, Debug)]
pub struct Shared {
    pub id: String,
    /// The report's id.
    pub report: String,
    pub title: String,
    pub body: String,
    /// When the report was written.
    pub created_at: Timestamp,
    /// What tells whether the link works.
    pub facts: ShareFacts,
}

#[derive(Debug)]
pub struct NewShare<'a> {
    pub hash: Digest,
    pub report: Uuid,
    pub maker: &'a str,
    /// The session that makes it.
    pub session: &'a str,
    pub expires_at: Timestamp,
}

macro_rules! maker {
    () => {
        "JOIN users u ON u.id = s.maker_id
         LEFT JOIN members m ON m.workspace_id = s.workspace_id AND m.user_id = s.maker_id
             AND u.status = 'active' "
    };
}

impl Tx {
    /// Stores a link to a report of the workspace and returns its id.
    pub async fn insert_share(
        &mut self,
        seat: &Seat,
        new: &NewShare<'_>,
        now: Timestamp,
    ) -> Result<String, DbError> {
        let id = Uuid::new_v4().to_string();
        sqlx::query(
            "INSERT INTO shares (id, hash, report_id, workspace_id, maker_id, created_at, expires_at, opened,
                session_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
        )
        .bind(id.as_str())
        .bind(new.hash.bytes().as_slice())
        .bind(new.report.to_string())
        .bind(seat.workspace())
        .bind(new.maker)
        .bind(now.millis())
        .bind(new.expires_at.millis())
        .bind(new.session)
        .execute(self.connection())
        .await?;
        Ok(id)
    }

    /// The links to a report, newest first.
    pub async fn shares_of(&mut self, seat: &Seat, report: Uuid) -> Result<Vec<Share>, DbError> {
        let rows = sqlx::query(concat!(
            "SELECT s.id, u.email, s.created_at, s.expires_at, s.revoked_at, s.opened, s.last_opened_at,
                 m.role AS maker_role FROM shares s ",
            maker!(),
            "WHERE s.workspace_id = $1 AND s.report_id = $2 ORDER BY s.created_at DESC, s.id"
        ))
        .bind(seat.workspace())
        .bind(report.to_string())
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Share {
                    id: row.try_get("id")?,
                    maker_email: row.try_get("email")?,
                    created_at: moment(row, "created_at")?,
                    revoked_at: optional_moment(row, "revoked_at")?,
                    opened: row.try_get("opened")?,
                    last_opened_at: optional_moment(row, "last_opened_at")?,
                    facts: facts(row)?,
                })
            })
            .collect()
    }

    /// Revokes a link to a report. `None` if the report has no such link, `Some(false)` if it was revoked before.
    pub async fn revoke_share(
        &mut self,
        seat: &Seat,
        report: Uuid,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<bool>, DbError> {
        let row = sqlx::query(
            "SELECT revoked_at FROM shares WHERE workspace_id = $1 AND report_id = $2 AND id = $3",
        )
        .bind(seat.workspace())
        .bind(report.to_string())
        .bind(id.to_string())
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = row else { return Ok(None) };
        if optional_moment(&row, "revoked_at")?.is_some() {
            return Ok(Some(false));
        }
        sqlx::query("UPDATE shares SET revoked_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        Ok(Some(true))
    }

    /// Revokes every link that a user has made in the workspace.
    pub async fn revoke_shares_by(&mut self, seat: &Seat, user: &str, now: Timestamp) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE shares SET revoked_at = $3 WHERE workspace_id = $1 AND maker_id = $2 AND revoked_at IS NULL",
        )
        .bind(seat.workspace())
        .bind(user)
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What the link with this token shows, whether it works or not: a report that is complete and not over.
    pub async fn shared(&mut self, hash: &Digest, now: Timestamp) -> Result<Option<Shared>, DbError> {
        let row = sqlx::query(concat!(
            "SELECT s.id, s.report_id, r.title, r.body, r.created_at, s.expires_at, s.revoked_at, m.role AS maker_role
             FROM shares s JOIN reports r ON r.id = s.report_id ",
            maker!(),
            "WHERE s.hash = $1 AND r.lapses_at IS NULL AND (r.retain_until IS NULL OR r.retain_until > $2)"
        ))
        .bind(hash.bytes().as_slice())
        .bind(now.millis())
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(Shared {
                id: row.try_get("id")?,
                report: row.try_get("report_id")?,
                title: row.try_get("title")?,
                body: row.try_get("body")?,
                created_at: moment(&row, "created_at")?,
                facts: facts(&row)?,
            })
        })
        .transpose()
    }

    /// Counts one opening of a link.
    pub async fn count_opening(&mut self, id: &str, now: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE shares SET opened = opened + 1, last_opened_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

fn facts(row: &AnyRow) -> Result<ShareFacts, DbError> {
    Ok(ShareFacts {
        expires_at: moment(row, "expires_at")?,
        revoked: optional_moment(row, "revoked_at")?.is_some(),
        maker: row.try_get::<Option<String>, _>("maker_role")?.as_deref().map(role).transpose()?,
    })
}
