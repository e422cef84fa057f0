//! Reports: the private data of a workspace. Each query asks for a seat in it.

use sqlx::Row as _;
use uuid::Uuid;

use crate::db::row::moment;
use crate::db::{DbError, Tx};
use crate::teams::db::workspaces::Seat;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct ReportHead {
    pub id: String,
    pub title: String,
    pub author_email: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Report {
    /// All but its text.
    pub head: ReportHead,
    pub body: String,
}

impl Tx {
    /// Stores a report and returns its id.
    pub async fn insert_report(
        &mut self,
        seat: &Seat,
        author: &str,
        title: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<String, DbError> {
        let id = Uuid::new_v4().to_string();
        sqlx::query(
            "INSERT INTO reports (id, workspace_id, author_id, title, body, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(seat.workspace())
        .bind(author)
        .bind(title)
        .bind(body)
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(id)
    }

    /// How many reports the workspace has.
    pub async fn count_reports(&mut self, seat: &Seat) -> Result<i64, DbError> {
        let row = sqlx::query("SELECT COUNT(*) AS reports FROM reports WHERE workspace_id = $1")
            .bind(seat.workspace())
            .fetch_one(self.connection())
            .await?;
        Ok(row.try_get("reports")?)
    }

    /// The workspace's reports, newest first.
    pub async fn reports(&mut self, seat: &Seat) -> Result<Vec<ReportHead>, DbError> {
        let rows = sqlx::query(
            "SELECT r.id, r.title, u.email, r.created_at FROM reports r JOIN users u ON u.id = r.author_id
             WHERE r.workspace_id = $1 ORDER BY r.created_at DESC, r.id",
        )
        .bind(seat.workspace())
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ReportHead {
                    id: row.try_get("id")?,
                    title: row.try_get("title")?,
                    author_email: row.try_get("email")?,
                    created_at: moment(row, "created_at")?,
                })
            })
            .collect()
    }

    /// One report of the workspace. `None` if the workspace has none with this id, whoever else may have.
    pub async fn report(&mut self, seat: &Seat, id: Uuid) -> Result<Option<Report>, DbError> {
        let row = sqlx::query(
            "SELECT r.id, r.title, r.body, u.email, r.created_at FROM reports r
             JOIN users u ON u.id = r.author_id WHERE r.workspace_id = $1 AND r.id = $2",
        )
        .bind(seat.workspace())
        .bind(id.to_string())
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(Report {
                head: ReportHead {
                    id: row.try_get("id")?,
                    title: row.try_get("title")?,
                    author_email: row.try_get("email")?,
                    created_at: moment(&row, "created_at")?,
                },
                body: row.try_get("body")?,
            })
        })
        .transpose()
    }

    /// Deletes a report of the workspace with its links. `false` if the workspace has none with this id.
    pub async fn delete_report(&mut self, seat: &Seat, id: Uuid) -> Result<bool, DbError> {
        let done = sqlx::query("DELETE FROM reports WHERE workspace_id = $1 AND id = $2")
            .bind(seat.workspace())
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
