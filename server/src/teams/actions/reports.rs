//! Reports, the private data of a workspace.

use uuid::Uuid;

use crate::actions::bearer_session::ToolRequest;
use crate::db::{DbError, retry};
use crate::rules::audit_event::AuditEvent;
use crate::rules::text::{line, text};
use crate::teams::actions::access::{allow, count_creation, enter};
use crate::teams::actions::error::TeamError;
use crate::teams::db::reports::{Report, ReportHead};
use crate::teams::rules::permission::TeamAction;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest text, in bytes, well within what a request may have.
const LONGEST_TEXT: usize = 8 * 1024;

/// How many reports a workspace may keep.
const MOST: i64 = 1000;

pub async fn create(
    request: ToolRequest<'_>,
    workspace: Uuid,
    title: &str,
    body: String,
) -> Result<Report, TeamError> {
    let (title, body) = (&line("title", title, LONGEST_TITLE)?, &text("body", body, LONGEST_TEXT)?);
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        allow(seat.role(), TeamAction::Write)?;
        if bearer.tx.count_reports(&seat).await? >= MOST {
            return Err(TeamError::TooManyReports);
        }
        count_creation(request, &mut bearer).await?;
        let id = bearer.tx.insert_report(&seat, &bearer.session.user.id, title, body, bearer.now).await?;
        let id = Uuid::parse_str(&id).map_err(|_| DbError::Corrupt("reports.id"))?;
        let report = bearer.tx.report(&seat, id).await?.ok_or(DbError::Corrupt("reports.id"))?;
        bearer.tx.commit().await?;
        Ok(report)
    })
    .await
}

/// The reports of a workspace, newest first.
pub async fn list(request: ToolRequest<'_>, workspace: Uuid) -> Result<Vec<ReportHead>, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let reports = bearer.tx.reports(&seat).await?;
        bearer.tx.commit().await?;
        Ok(reports)
    })
    .await
}

pub async fn read(request: ToolRequest<'_>, workspace: Uuid, report: Uuid) -> Result<Report, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let report = bearer.tx.report(&seat, report).await?.ok_or(TeamError::NotFound)?;
        bearer.tx.commit().await?;
        Ok(report)
    })
    .await
}

/// Deletes a report with its links.
pub async fn delete(request: ToolRequest<'_>, workspace: Uuid, report: Uuid) -> Result<(), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        // Whether there is such a report is something any member may see.
        bearer.tx.report(&seat, report).await?.ok_or(TeamError::NotFound)?;
        allow(seat.role(), TeamAction::Write)?;
        bearer.tx.delete_report(&seat, report).await?;
        bearer.record(AuditEvent::ReportDeleted, &report.to_string()).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}
