//! Reports: the private data of a workspace. Each query asks for a seat in it.

use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::db::row::{moment, optional_moment};
use crate::db::{DbError, Tx};
use crate::teams::db::workspaces::Seat;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub struct ReportHead {
    pub id: String,
    pub title: String,
    pub author_email: String,
    pub created_at: Timestamp,
    /// When it goes; unset for one that was made before reports had such a date.
    pub retain_until: Option<Timestamp>,
    /// While files of it are awaited: when it is given up.
    pub lapses_at: Option<Timestamp>,
}

impl ReportHead {
    /// Whether all its files are there.
    pub fn is_complete(&self) -> bool {
        self.lapses_at.is_none()
    }
}

#[derive(Clone, Debug)]
pub struct Report {
    /// All but its text.
    pub head: ReportHead,
    pub body: String,
}

#[derive(Clone, Copy, Debug)]
pub struct ReportEntry<'a> {
    pub author: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub retain_until: Timestamp,
    /// When it is given up unless its files have arrived; unset if it has none.
    pub lapses_at: Option<Timestamp>,
}

macro_rules! select {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT r.id, r.title, ",
            $columns,
            "u.email, r.created_at, r.retain_until, r.lapses_at FROM reports r JOIN users u ON u.id = r.author_id
             WHERE r.workspace_id = $1 AND (r.retain_until IS NULL OR r.retain_until > $2)
                 AND (r.lapses_at IS NULL OR r.lapses_at > $2) ",
            $rest
        )
    };
}

impl Tx {
    /// Stores a report and returns its id.
    pub async fn insert_report(
        &mut self,
        seat: &Seat,
        new: ReportEntry<'_>,
        now: Timestamp,
    ) -> Result<String, DbError> {
        let id = Uuid::new_v4().to_string();
        sqlx::query(
            "INSERT INTO reports (id, workspace_id, author_id, title, body, created_at, retain_until, lapses_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.as_str())
        .bind(seat.workspace())
        .bind(new.author)
        .bind(new.title)
        .bind(new.body)
        .bind(now.millis())
        .bind(new.retain_until.millis())
        .bind(new.lapses_at.map(Timestamp::millis))
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

    /// The workspace's reports that are not over, newest first.
    pub async fn reports(&mut self, seat: &Seat, now: Timestamp) -> Result<Vec<ReportHead>, DbError> {
        let rows = sqlx::query(select!("", "ORDER BY r.created_at DESC, r.id"))
            .bind(seat.workspace())
            .bind(now.millis())
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(head).collect()
    }

    /// One report of the workspace. `None` if the workspace has none with this id, whoever else may have, or if it is
    /// over.
    pub async fn report(&mut self, seat: &Seat, id: Uuid, now: Timestamp) -> Result<Option<Report>, DbError> {
        let row = sqlx::query(select!("r.body, ", "AND r.id = $3"))
            .bind(seat.workspace())
            .bind(now.millis())
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await?;
        row.map(|row| Ok(Report { head: head(&row)?, body: row.try_get("body")? })).transpose()
    }

    /// Notes that a report has all its files if it does.
    pub async fn complete_report(&mut self, seat: &Seat, id: Uuid) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE reports SET lapses_at = NULL WHERE workspace_id = $1 AND id = $2 AND NOT EXISTS
             (SELECT 1 FROM report_files f WHERE f.report_id = reports.id AND f.object_key IS NULL)",
        )
        .bind(seat.workspace())
        .bind(id.to_string())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Up to `most` reports that are over: kept long enough, or never completed.
    pub async fn reports_over(&mut self, now: Timestamp, most: i64) -> Result<Vec<String>, DbError> {
        let rows = sqlx::query(
            "SELECT id FROM reports WHERE retain_until <= $1 OR lapses_at <= $1 ORDER BY id LIMIT $2",
        )
        .bind(now.millis())
        .bind(most)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Deletes a report that is over, with its links and files.
    pub async fn delete_report_over(&mut self, id: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM reports WHERE id = $1").bind(id).execute(self.connection()).await?;
        Ok(())
    }

    /// Deletes every report that a user wrote, with links and files. Returns how many there were.
    pub async fn delete_reports_of(&mut self, author: &str) -> Result<u64, DbError> {
        let done = sqlx::query("DELETE FROM reports WHERE author_id = $1")
            .bind(author)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected())
    }

    /// Deletes a report of the workspace with its links and files. `false` if the workspace has none with this id.
    pub async fn delete_report(&mut self, seat: &Seat, id: Uuid) -> Result<bool, DbError> {
        let done = sqlx::query("DELETE FROM reports WHERE workspace_id = $1 AND id = $2")
            .bind(seat.workspace())
            .bind(id.to_string())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn head(row: &AnyRow) -> Result<ReportHead, DbError> {
    Ok(ReportHead {
        id: row.try_get("id")?,
        title: row.try_get("title")?,
        author_email: row.try_get("email")?,
        created_at: moment(row, "created_at")?,
        retain_until: optional_moment(row, "retain_until")?,
        lapses_at: optional_moment(row, "lapses_at")?,
    })
}
