//! `/v1/workspaces/{id}/members`.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::teams::actions::members;
use crate::teams::db::workspaces::Member;
use crate::teams::routes::role_name::RoleName;

#[derive(Serialize, ToSchema)]
pub(super) struct MemberView {
    user_id: String,
    email: String,
    /// What they call themselves; may be empty.
    name: String,
    role: RoleName,
    joined_at: String,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user_id,
            email: member.email,
            name: member.name,
            role: member.role.into(),
            joined_at: member.joined_at.rfc3339(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Members {
    members: Vec<MemberView>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Change {
    role: RoleName,
}

/// List a workspace's members
#[utoipa::path(
    get, path = "/v1/workspaces/{id}/members", tag = "workspaces", operation_id = "list_members",
    params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 200, description = "Longest-standing first.", body = Members),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such workspace, or the caller is not a member."))
)]
pub(super) async fn list(tool: FirstParty, PathIds(id): PathIds<Uuid>) -> Result<Json<Members>, ApiError> {
    let members = members::list(tool.request(), id).await?;
    Ok(Json(Members { members: members.into_iter().map(Into::into).collect() }))
}

/// Give a member another role
///
/// Owners may change everyone; anyone may step down to member. The last owner stays one. Whoever becomes a member
/// loses their share links.
#[utoipa::path(
    put, path = "/v1/workspaces/{id}/members/{user_id}", tag = "workspaces", operation_id = "change_member",
    request_body = Change, security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("user_id" = String, Path, description = "The member.")),
    responses((status = 204, description = "Changed."), (status = 400, description = "No such role."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "`forbidden`: the caller's role does not allow it. `sign_in_required`: the role would \
            rise, and the last sign-in is not recent."),
        (status = 404, description = "No such workspace or member, or the caller is not a member."),
        (status = 409, description = "It is the last owner."))
)]
pub(super) async fn change(
    tool: FirstParty,
    PathIds((id, user)): PathIds<(Uuid, Uuid)>,
    JsonBody(body): JsonBody<Change>,
) -> Result<StatusCode, ApiError> {
    members::change(tool.request(), id, user, body.role.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a member, or leave
///
/// Admins may remove members, owners everyone; anyone may leave. The last owner stays.
#[utoipa::path(
    delete, path = "/v1/workspaces/{id}/members/{user_id}", tag = "workspaces", operation_id = "remove_member",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("user_id" = String, Path, description = "The member.")),
    responses((status = 204, description = "Removed."), (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such workspace or member, or the caller is not a member."),
        (status = 409, description = "It is the last owner."))
)]
pub(super) async fn remove(
    tool: FirstParty,
    PathIds((id, user)): PathIds<(Uuid, Uuid)>,
) -> Result<StatusCode, ApiError> {
    members::remove(tool.request(), id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
