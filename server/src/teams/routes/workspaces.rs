//! `/v1/workspaces` and `/v1/workspaces/{id}`.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::teams::actions::workspaces;
use crate::teams::db::workspaces::Workspace;
use crate::teams::routes::role_name::RoleName;

#[derive(Deserialize, ToSchema)]
pub(super) struct Naming {
    /// 1 to 80 characters on one line.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct WorkspaceView {
    id: String,
    name: String,
    /// The caller's own role.
    role: RoleName,
    created_at: String,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id,
            name: workspace.name,
            role: workspace.role.into(),
            created_at: workspace.created_at.rfc3339(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Workspaces {
    workspaces: Vec<WorkspaceView>,
}

/// Make a workspace
///
/// The caller becomes its owner.
#[utoipa::path(
    post, path = "/v1/workspaces", tag = "workspaces", operation_id = "create_workspace", request_body = Naming,
    security(("bearer" = [])),
    responses((status = 201, description = "Made.", body = WorkspaceView),
        (status = 400, description = "The name does not fit."), (status = 401, description = "No valid access token."),
        (status = 429, description = "Too much was made of late."))
)]
pub(super) async fn create(
    tool: FirstParty,
    JsonBody(body): JsonBody<Naming>,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let made = workspaces::create(tool.request(), &body.name).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// List the caller's workspaces
#[utoipa::path(
    get, path = "/v1/workspaces", tag = "workspaces", operation_id = "list_workspaces", security(("bearer" = [])),
    responses((status = 200, description = "Oldest first.", body = Workspaces),
        (status = 401, description = "No valid access token."))
)]
pub(super) async fn list(tool: FirstParty) -> Result<Json<Workspaces>, ApiError> {
    let workspaces = workspaces::list(tool.request()).await?;
    Ok(Json(Workspaces { workspaces: workspaces.into_iter().map(Into::into).collect() }))
}

/// Read a workspace
#[utoipa::path(
    get, path = "/v1/workspaces/{id}", tag = "workspaces", operation_id = "read_workspace",
    params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 200, description = "It.", body = WorkspaceView),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such workspace, or the caller is not a member."))
)]
pub(super) async fn read(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(workspaces::read(tool.request(), id).await?.into()))
}

/// Rename a workspace
///
/// For owners and admins.
#[utoipa::path(
    patch, path = "/v1/workspaces/{id}", tag = "workspaces", operation_id = "rename_workspace",
    request_body = Naming, params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 200, description = "Renamed.", body = WorkspaceView),
        (status = 400, description = "The name does not fit."), (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such workspace, or the caller is not a member."))
)]
pub(super) async fn rename(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
    JsonBody(body): JsonBody<Naming>,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(workspaces::rename(tool.request(), id, &body.name).await?.into()))
}

/// Delete a workspace with everything in it
///
/// For owners.
#[utoipa::path(
    delete, path = "/v1/workspaces/{id}", tag = "workspaces", operation_id = "delete_workspace",
    params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 204, description = "Gone."), (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such workspace, or the caller is not a member."))
)]
pub(super) async fn delete(tool: FirstParty, PathIds(id): PathIds<Uuid>) -> Result<StatusCode, ApiError> {
    workspaces::delete(tool.request(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
