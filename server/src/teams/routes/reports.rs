//! `/v1/workspaces/{id}/reports`.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::teams::actions::reports;
use crate::teams::db::reports::{Report, ReportHead};

#[derive(Deserialize, ToSchema)]
pub(super) struct NewReport {
    /// 1 to 200 characters on one line.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// At most 8 KiB.
    #[schema(max_length = 8192)]
    body: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct HeadView {
    id: String,
    title: String,
    author: String,
    created_at: String,
}

impl From<ReportHead> for HeadView {
    fn from(head: ReportHead) -> Self {
        Self {
            id: head.id,
            title: head.title,
            author: head.author_email,
            created_at: head.created_at.rfc3339(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct ReportView {
    #[serde(flatten)]
    head: HeadView,
    body: String,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        Self { head: report.head.into(), body: report.body }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Reports {
    reports: Vec<HeadView>,
}

/// Store a report
///
/// For owners and admins.
#[utoipa::path(
    post, path = "/v1/workspaces/{id}/reports", tag = "workspaces", operation_id = "create_report",
    request_body = NewReport, params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 201, description = "Stored.", body = ReportView),
        (status = 400, description = "Title or body does not fit."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such workspace, or the caller is not a member."),
        (status = 409, description = "The workspace is full."),
        (status = 429, description = "Too much was made of late."))
)]
pub(super) async fn create(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
    JsonBody(body): JsonBody<NewReport>,
) -> Result<(StatusCode, Json<ReportView>), ApiError> {
    let made = reports::create(tool.request(), id, &body.title, body.body).await?;
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

/// Delete a report with its share links
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
