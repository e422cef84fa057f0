//! `/v1/workspaces/{id}/reports`.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::digest::hex;
use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::teams::actions::reports::{self, ReportRequest, WholeReport};
use crate::teams::db::files::ReportFile;
use crate::teams::db::reports::ReportHead;
use crate::teams::rules::manifest::DescribedFile;
use crate::time::Timestamp;

#[derive(Deserialize, ToSchema)]
pub(super) struct NewReport {
    /// 1 to 200 characters on one line.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// At most 8 KiB.
    #[schema(max_length = 8192)]
    body: String,
    /// The files that come with it. Each is sent on its own afterwards; until all have arrived, the report is there only
    /// for those who may send them, and it is given up after a day.
    #[serde(default)]
    #[schema(max_items = 100)]
    files: Vec<NewFile>,
    /// For how many days it is kept, text and files. Left out, as long as the server's host has set.
    #[serde(default)]
    #[schema(minimum = 1)]
    retain_days: Option<i64>,
}

/// The largest body that describes a report: its text and a full manifest.
const LARGEST: usize = 60 * 1024;

#[derive(Deserialize, ToSchema)]
pub(super) struct NewFile {
    /// 1 to 200 characters, with folders in front if need be (`logs/run.txt`).
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// In bytes.
    #[schema(minimum = 0)]
    size: i64,
    /// 64 lower-case hexadecimal digits.
    #[schema(min_length = 64, max_length = 64)]
    sha256: String,
    /// One of those that a browser can't run; left out, `application/octet-stream`.
    #[serde(default)]
    media_type: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FileView {
    /// Its place in the manifest, from 1.
    place: i64,
    name: String,
    size: u64,
    sha256: String,
    media_type: &'static str,
    /// Whether its content has arrived.
    stored: bool,
}

impl From<ReportFile> for FileView {
    fn from(file: ReportFile) -> Self {
        Self {
            place: file.place,
            name: file.file.name,
            size: file.file.seal.size,
            sha256: hex(file.file.seal.sha256.bytes()),
            media_type: file.file.media_type.as_str(),
            stored: file.object.is_some(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct HeadView {
    id: String,
    title: String,
    author: String,
    created_at: String,
    /// Whether all its files have arrived.
    complete: bool,
    /// When it is deleted; null for one that was made before reports had such a date.
    retain_until: Option<String>,
}

impl From<ReportHead> for HeadView {
    fn from(head: ReportHead) -> Self {
        Self {
            complete: head.is_complete(),
            id: head.id,
            title: head.title,
            author: head.author_email,
            created_at: head.created_at.rfc3339(),
            retain_until: head.retain_until.map(Timestamp::rfc3339),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct ReportView {
    #[serde(flatten)]
    head: HeadView,
    body: String,
    files: Vec<FileView>,
}

impl From<WholeReport> for ReportView {
    fn from(WholeReport { report, files }: WholeReport) -> Self {
        let files = files.into_iter().map(Into::into).collect();
        Self { head: report.head.into(), body: report.body, files }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Reports {
    reports: Vec<HeadView>,
}

/// Store a report
///
/// For owners and admins. Without files it is complete at once.
#[utoipa::path(
    post, path = "/v1/workspaces/{id}/reports", tag = "workspaces", operation_id = "create_report",
    request_body = NewReport, params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 201, description = "Stored.", body = ReportView),
        (status = 400, description = "Title, body, manifest or days do not fit."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such workspace, or the caller is not a member."),
        (status = 409, description = "The workspace or the store of files is full, or there is no such store."),
        (status = 413, description = "Too many files, one too large, or a description larger than 60 KiB."),
        (status = 429, description = "Too much was made of late."))
)]
pub(super) async fn create(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
    JsonBody(body): JsonBody<NewReport, LARGEST>,
) -> Result<(StatusCode, Json<ReportView>), ApiError> {
    let described = |file: NewFile| DescribedFile {
        name: file.name,
        media_type: file.media_type,
        size: file.size,
        sha256: file.sha256,
    };
    let files = body.files.into_iter().map(described).collect();
    let asked = ReportRequest { title: body.title, body: body.body, files, retain_days: body.retain_days };
    let made = reports::create(tool.request(), id, asked).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// List a workspace's reports
#[utoipa::path(
    get, path = "/v1/workspaces/{id}/reports", tag = "workspaces", operation_id = "list_reports",
    params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 200, description = "Newest first, without their text.", body = Reports),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such workspace, or the caller is not a member."))
)]
pub(super) async fn list(tool: FirstParty, PathIds(id): PathIds<Uuid>) -> Result<Json<Reports>, ApiError> {
    let reports = reports::list(tool.request(), id).await?;
    Ok(Json(Reports { reports: reports.into_iter().map(Into::into).collect() }))
}

/// Read a report
#[utoipa::path(
    get, path = "/v1/workspaces/{id}/reports/{report_id}", tag = "workspaces", operation_id = "read_report",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report.")),
    responses((status = 200, description = "It.", body = ReportView),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such report in this workspace, or the caller is not a member."))
)]
pub(super) async fn read(
    tool: FirstParty,
    PathIds((id, report)): PathIds<(Uuid, Uuid)>,
) -> Result<Json<ReportView>, ApiError> {
    Ok(Json(reports::read(tool.request(), id, report).await?.into()))
}

/// Delete a report with its files and share links
///
/// For owners and admins.
#[utoipa::path(
    delete, path = "/v1/workspaces/{id}/reports/{report_id}", tag = "workspaces", operation_id = "delete_report",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report.")),
    responses((status = 204, description = "Gone."), (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such report in this workspace, or the caller is not a member."))
)]
pub(super) async fn delete(
    tool: FirstParty,
    PathIds((id, report)): PathIds<(Uuid, Uuid)>,
) -> Result<StatusCode, ApiError> {
    reports::delete(tool.request(), id, report).await?;
    Ok(StatusCode::NO_CONTENT)
}
