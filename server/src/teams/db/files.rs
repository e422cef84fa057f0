//! The files of reports, and what may lie in the store of files. An object's row is written before the object and goes
//! after it, so that none is ever left without one.

use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::artifacts::store::ObjectKey;
use crate::db::users::{AccountStatus, status};
use crate::db::{DbError, Tx};
use crate::digest::Digest;
use crate::rules::file_seal::FileSeal;
use crate::teams::db::workspaces::Seat;
use crate::teams::rules::manifest::{ManifestFile, Usage};
use crate::time::Timestamp;

/// One file of a report.
#[derive(Clone, Debug)]
pub struct ReportFile {
    /// Its place in the manifest, from 1.
    pub place: i64,
    pub file: ManifestFile,
    /// Where its content is, once it has arrived.
    pub object: Option<ObjectKey>,
}

/// How much of the store the files of one user's reports take up, in bytes.
#[derive(Clone, Debug)]
pub struct AuthorFiles {
    pub email: String,
    pub status: AccountStatus,
    pub files: u64,
    pub stored: u64,
    /// Announced, and not sent yet.
    pub awaited: u64,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT f.place, f.name, f.media_type, f.size, f.sha256, f.object_key FROM report_files f ",
            $rest
        )
    };
}

impl Tx {
    /// What the files of a workspace take up, those that are still awaited included.
    pub async fn usage(&mut self, seat: &Seat) -> Result<Usage, DbError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM report_files
             WHERE workspace_id = $1",
        )
        .bind(seat.workspace())
        .fetch_one(self.connection())
        .await?;
        Ok(Usage { files: count(&row, "files")?, bytes: count(&row, "bytes")? })
    }

    /// What the files of all workspaces take up in the store, with what a file system or an S3 adds to each. Awaited
    /// files of an account that may not send them do not count.
    pub async fn bytes_in_store(&mut self) -> Result<u64, DbError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(f.size + 4096), 0) AS BIGINT) AS bytes FROM report_files f
             JOIN reports r ON r.id = f.report_id JOIN users u ON u.id = r.author_id
             WHERE f.object_key IS NOT NULL OR u.status = 'active'",
        )
        .fetch_one(self.connection())
        .await?;
        count(&row, "bytes")
    }

    /// What the files of a user's reports take up, those that are still awaited included.
    pub async fn bytes_of_author(&mut self, user: &str) -> Result<u64, DbError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(f.size), 0) AS BIGINT) AS bytes FROM report_files f
             JOIN reports r ON r.id = f.report_id WHERE r.author_id = $1",
        )
        .bind(user)
        .fetch_one(self.connection())
        .await?;
        count(&row, "bytes")
    }

    /// Whose reports' files take up the store, the largest first.
    pub async fn store_by_author(&mut self) -> Result<Vec<AuthorFiles>, DbError> {
        let rows = sqlx::query(
            "SELECT u.email, u.status, COUNT(*) AS files,
             CAST(COALESCE(SUM(CASE WHEN f.object_key IS NULL THEN 0 ELSE f.size END), 0) AS BIGINT) AS stored,
             CAST(COALESCE(SUM(CASE WHEN f.object_key IS NULL THEN f.size ELSE 0 END), 0) AS BIGINT) AS awaited
             FROM report_files f JOIN reports r ON r.id = f.report_id JOIN users u ON u.id = r.author_id
             GROUP BY u.id, u.email, u.status ORDER BY SUM(f.size) DESC, u.email",
        )
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuthorFiles {
                    email: row.try_get("email")?,
                    status: status(row)?,
                    files: count(row, "files")?,
                    stored: count(row, "stored")?,
                    awaited: count(row, "awaited")?,
                })
            })
            .collect()
    }

    /// Writes down what a report of the workspace is to have.
    pub async fn insert_files(
        &mut self,
        seat: &Seat,
        report: &str,
        files: &[ManifestFile],
    ) -> Result<(), DbError> {
        for (place, file) in (1_i64..).zip(files) {
            sqlx::query(
                "INSERT INTO report_files (report_id, place, workspace_id, name, media_type, size, sha256)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(report)
            .bind(place)
            .bind(seat.workspace())
            .bind(file.name.as_str())
            .bind(file.media_type.as_str())
            .bind(i64::try_from(file.seal.size).map_err(|_| DbError::Corrupt("report_files.size"))?)
            .bind(file.seal.sha256.bytes().as_slice())
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }

    /// The files of a report of the workspace, in the manifest's order.
    pub async fn files(&mut self, seat: &Seat, report: Uuid) -> Result<Vec<ReportFile>, DbError> {
        let rows = sqlx::query(columns!("WHERE f.workspace_id = $1 AND f.report_id = $2 ORDER BY f.place"))
            .bind(seat.workspace())
            .bind(report.to_string())
            .fetch_all(self.connection())
            .await?;
        rows.iter().map(file).collect()
    }

    /// One file of a report of the workspace.
    pub async fn file(
        &mut self,
        seat: &Seat,
        report: Uuid,
        place: i64,
    ) -> Result<Option<ReportFile>, DbError> {
        let row = sqlx::query(columns!("WHERE f.workspace_id = $1 AND f.report_id = $2 AND f.place = $3"))
            .bind(seat.workspace())
            .bind(report.to_string())
            .bind(place)
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(file).transpose()
    }

    /// The files that a share link shows.
    pub async fn shared_files(&mut self, share: &str) -> Result<Vec<ReportFile>, DbError> {
        let rows = sqlx::query(columns!(
            "JOIN shares s ON s.report_id = f.report_id WHERE s.id = $1 ORDER BY f.place"
        ))
        .bind(share)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(file).collect()
    }

    /// Announces an object that is about to be written. It is given up at `due_at`.
    pub async fn announce_object(&mut self, key: &ObjectKey, due_at: Timestamp) -> Result<(), DbError> {
        sqlx::query("INSERT INTO stored_objects (key, state, due_at) VALUES ($1, 'uploading', $2)")
            .bind(key.as_str())
            .bind(due_at.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Makes an object the content of a file that has none. `false` if the object was given up meanwhile, or the file
    /// is gone or has content.
    pub async fn keep_object(
        &mut self,
        seat: &Seat,
        report: Uuid,
        place: i64,
        key: &ObjectKey,
    ) -> Result<bool, DbError> {
        let live = "UPDATE stored_objects SET state = 'live' WHERE key = $1 AND state = 'uploading'";
        let done = sqlx::query(live).bind(key.as_str()).execute(self.connection()).await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let done = sqlx::query(
            "UPDATE report_files SET object_key = $4
             WHERE workspace_id = $1 AND report_id = $2 AND place = $3 AND object_key IS NULL",
        )
        .bind(seat.workspace())
        .bind(report.to_string())
        .bind(place)
        .bind(key.as_str())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Has an object that no file has as its content deleted.
    pub async fn doom_object(&mut self, key: &ObjectKey, now: Timestamp) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE stored_objects SET state = 'doomed', due_at = $2 WHERE key = $1 AND state = 'uploading'",
        )
        .bind(key.as_str())
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Gives up the uploads that were not finished in time.
    pub async fn doom_overdue_uploads(&mut self, now: Timestamp) -> Result<u64, DbError> {
        let done = sqlx::query(
            "UPDATE stored_objects SET state = 'doomed' WHERE state = 'uploading' AND due_at <= $1",
        )
        .bind(now.millis())
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Up to `most` objects that are to be deleted.
    pub async fn doomed_objects(&mut self, now: Timestamp, most: i64) -> Result<Vec<ObjectKey>, DbError> {
        let rows = sqlx::query(
            "SELECT key FROM stored_objects WHERE state = 'doomed' AND due_at <= $1 ORDER BY due_at, key LIMIT $2",
        )
        .bind(now.millis())
        .bind(most)
        .fetch_all(self.connection())
        .await?;
        rows.iter().map(|row| key(row.try_get("key")?)).collect()
    }

    /// Forgets an object that was deleted.
    pub async fn forget_object(&mut self, key: &ObjectKey) -> Result<(), DbError> {
        sqlx::query("DELETE FROM stored_objects WHERE key = $1 AND state = 'doomed'")
            .bind(key.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Has an object that could not be deleted tried again later.
    pub async fn postpone_object(&mut self, key: &ObjectKey, until: Timestamp) -> Result<(), DbError> {
        sqlx::query("UPDATE stored_objects SET due_at = $2 WHERE key = $1 AND state = 'doomed'")
            .bind(key.as_str())
            .bind(until.millis())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

fn file(row: &AnyRow) -> Result<ReportFile, DbError> {
    let sha256: Vec<u8> = row.try_get("sha256")?;
    let media_type: String = row.try_get("media_type")?;
    let seal = FileSeal {
        size: count(row, "size")?,
        sha256: Digest::from_slice(&sha256).ok_or(DbError::Corrupt("report_files.sha256"))?,
    };
    Ok(ReportFile {
        place: row.try_get("place")?,
        file: ManifestFile {
            name: row.try_get("name")?,
            media_type: media_type.parse().map_err(|_| DbError::Corrupt("report_files.media_type"))?,
            seal,
        },
        object: row.try_get::<Option<String>, _>("object_key")?.map(key).transpose()?,
    })
}

fn key(text: String) -> Result<ObjectKey, DbError> {
    ObjectKey::read(text).ok_or(DbError::Corrupt("stored_objects.key"))
}

fn count(row: &AnyRow, column: &'static str) -> Result<u64, DbError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| DbError::Corrupt("report_files.size"))
}
