//! Reports, the private data of a workspace: a text, and the manifest of the files that come with it.

use uuid::Uuid;

use crate::actions::bearer_session::{BearerSession, ToolRequest};
use crate::db::{DbError, retry};
use crate::limits::Limits;
use crate::metrics::METRICS;
use crate::rules::audit_event::AuditEvent;
use crate::rules::role::Role;
use crate::rules::text::{line, text};
use crate::teams::actions::access::{allow, count_creation, enter, sweep_soon};
use crate::teams::actions::error::TeamError;
use crate::teams::db::files::ReportFile;
use crate::teams::db::reports::{Report, ReportEntry, ReportHead};
use crate::teams::db::workspaces::Seat;
use crate::teams::rules::manifest::{DescribedFile, ManifestCeiling, Usage, check, mib};
use crate::teams::rules::permission::{Permission, TeamAction, decide};
use crate::teams::rules::retention::retain_until;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest text, in bytes, well within what a request may have.
const LONGEST_TEXT: usize = 8 * 1024;

/// How many reports a workspace may keep.
const MOST: i64 = 1000;

/// A report as someone asks for it.
#[derive(Debug)]
pub struct ReportRequest {
    pub title: String,
    pub body: String,
    pub files: Vec<DescribedFile>,
    /// For how many days it is kept.
    pub retain_days: Option<i64>,
}

/// Stores a report. One with files is complete once all of them have arrived.
pub async fn create(
    request: ToolRequest<'_>,
    workspace: Uuid,
    asked: ReportRequest,
) -> Result<WholeReport, TeamError> {
    let limits = &request.app.limits;
    let title = &line("title", &asked.title, LONGEST_TITLE)?;
    let body = &text("body", asked.body, LONGEST_TEXT)?;
    let ceiling = ManifestCeiling { files: limits.files_per_report, mib: limits.file_mib };
    let files = &check(asked.files, ceiling)?;
    if !files.is_empty() && request.app.artifacts.is_none() {
        return Err(TeamError::NoFiles);
    }
    let (default, longest) = (limits.report_retention, limits.longest_report_retention);
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        allow(seat.role(), TeamAction::Write)?;
        let now = bearer.now;
        let retain_until = retain_until(asked.retain_days, default, longest, now).ok_or_else(|| {
            let days = longest.as_secs() / 86_400;
            TeamError::Invalid(format!("retain_days must be a whole number from 1 to {days}"))
        })?;
        if bearer.tx.count_reports(&seat).await? >= MOST {
            return Err(TeamError::TooManyReports);
        }
        if !files.is_empty() {
            make_room(&mut bearer, &seat, Usage::of(files), limits).await?;
        }
        count_creation(request, &mut bearer).await?;
        let lapses_at = (!files.is_empty()).then(|| now.plus(limits.incomplete_reports));
        let author = &bearer.session.user.id;
        let id = bearer
            .tx
            .insert_report(&seat, ReportEntry { author, title, body, retain_until, lapses_at }, now)
            .await?;
        bearer.tx.insert_files(&seat, &id, files).await?;
        let id = Uuid::parse_str(&id).map_err(|_| DbError::Corrupt("reports.id"))?;
        let report = bearer.tx.report(&seat, id, now).await?.ok_or(DbError::Corrupt("reports.id"))?;
        let files = bearer.tx.files(&seat, id).await?;
        bearer.tx.commit().await?;
        Ok(WholeReport { report, files })
    })
    .await
}

/// Errs unless there is room for these files, in the workspace, for this user and in the store: workspaces are free, disks
/// are not. They are reserved in the transaction that looks, so that no two fill the same room.
async fn make_room(
    bearer: &mut BearerSession,
    seat: &Seat,
    asked: Usage,
    limits: &Limits,
) -> Result<(), TeamError> {
    let quota = Usage { files: limits.workspace_files.into(), bytes: mib(limits.workspace_mib) };
    let used = bearer.tx.usage(seat).await?;
    if !used.has_room(asked, quota) {
        METRICS.ceiling_refused("workspace_mib");
        return Err(TeamError::NoRoom { used, quota });
    }
    let own = bearer.tx.bytes_of_author(&bearer.session.user.id).await?;
    if own.saturating_add(asked.bytes) > mib(limits.user_mib) {
        METRICS.ceiling_refused("user_mib");
        return Err(TeamError::UserFull);
    }
    if bearer.tx.bytes_in_store().await?.saturating_add(asked.bytes) > mib(limits.store_mib) {
        METRICS.ceiling_refused("store_mib");
        return Err(TeamError::StoreFull);
    }
    Ok(())
}

/// A report with its manifest.
#[derive(Clone, Debug)]
pub struct WholeReport {
    /// Its text.
    pub report: Report,
    pub files: Vec<ReportFile>,
}

/// Whether a report may be seen: one whose files are awaited is there only for those who may send them.
pub(super) fn is_seen(head: &ReportHead, role: Role) -> bool {
    head.is_complete() || decide(role, TeamAction::Write) == Permission::Allowed
}

/// The reports of a workspace, newest first.
pub async fn list(request: ToolRequest<'_>, workspace: Uuid) -> Result<Vec<ReportHead>, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let mut reports = bearer.tx.reports(&seat, bearer.now).await?;
        bearer.tx.commit().await?;
        reports.retain(|head| is_seen(head, seat.role()));
        Ok(reports)
    })
    .await
}

pub async fn read(request: ToolRequest<'_>, workspace: Uuid, id: Uuid) -> Result<WholeReport, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let report = bearer.tx.report(&seat, id, bearer.now).await?.ok_or(TeamError::NotFound)?;
        if !is_seen(&report.head, seat.role()) {
            return Err(TeamError::NotFound);
        }
        let files = bearer.tx.files(&seat, id).await?;
        bearer.tx.commit().await?;
        Ok(WholeReport { report, files })
    })
    .await
}

/// Deletes a report with its links and files.
pub async fn delete(request: ToolRequest<'_>, workspace: Uuid, report: Uuid) -> Result<(), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        // Whether there is such a report is something any member may see.
        let found = bearer.tx.report(&seat, report, bearer.now).await?;
        found.filter(|found| is_seen(&found.head, seat.role())).ok_or(TeamError::NotFound)?;
        allow(seat.role(), TeamAction::Write)?;
        bearer.tx.delete_report(&seat, report).await?;
        bearer.record(AuditEvent::ReportDeleted, &report.to_string()).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
    .inspect(|()| sweep_soon(request))
}
