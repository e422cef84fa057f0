//! Reports, the private data of a workspace.

use uuid::Uuid;

use super::{Asking, allow};
use crate::actions::{Refusal, again};
use crate::db::DbError;
use crate::db::audit::Event;
use crate::db::reports::{Report, ReportHead};
use crate::rules::role::Wish;
use crate::rules::wording::{line, text};

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest text, in bytes, well within what a request may have.
const LONGEST_TEXT: usize = 8 * 1024;

/// How many reports a workspace may keep.
const MOST: i64 = 1000;

/// Stores a report.
pub async fn create(
    asking: Asking<'_>,
    workspace: Uuid,
    title: &str,
    body: String,
) -> Result<Report, Refusal> {
    let (title, body) = (&line("title", title, LONGEST_TITLE)?, &text("body", body, LONGEST_TEXT)?);
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        allow(seat.role(), Wish::Write)?;
        if visit.tx.count_reports(&seat).await? >= MOST {
            return Err(Refusal::Conflict {
                code: "too_many_reports",
                why: "This workspace has 1000 reports. Delete some first.",
            });
        }
        asking.count_creation(&mut visit).await?;
        let id = visit.tx.insert_report(&seat, &visit.session.user.id, title, body, visit.now).await?;
        let id = Uuid::parse_str(&id).map_err(|_| DbError::Corrupt("reports.id"))?;
        let report = visit.tx.report(&seat, id).await?.ok_or(DbError::Corrupt("reports.id"))?;
        visit.tx.commit().await?;
        Ok(report)
    })
    .await
}

/// The reports of a workspace, newest first.
pub async fn list(asking: Asking<'_>, workspace: Uuid) -> Result<Vec<ReportHead>, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let reports = visit.tx.reports(&seat).await?;
        visit.tx.commit().await?;
        Ok(reports)
    })
    .await
}

/// One report of a workspace.
pub async fn read(asking: Asking<'_>, workspace: Uuid, report: Uuid) -> Result<Report, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let report = visit.tx.report(&seat, report).await?.ok_or(Refusal::NotFound)?;
        visit.tx.commit().await?;
        Ok(report)
    })
    .await
}

/// Deletes a report with its links.
pub async fn delete(asking: Asking<'_>, workspace: Uuid, report: Uuid) -> Result<(), Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        // Whether there is such a report is something any member may see.
        visit.tx.report(&seat, report).await?.ok_or(Refusal::NotFound)?;
        allow(seat.role(), Wish::Write)?;
        visit.tx.delete_report(&seat, report).await?;
        visit.record(Event::ReportDeleted, &report.to_string()).await?;
        Ok(visit.tx.commit().await?)
    })
    .await
}
