//! `/v1/workspaces/{id}/invitations`, for those who invite, and `/v1/invitations`, for those who are invited.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::rules::email::Email;
use crate::teams::actions::invitations;
use crate::teams::db::invitations::Invitation;
use crate::teams::routes::role_name::RoleName;
use crate::teams::routes::workspaces::WorkspaceView;

#[derive(Deserialize, ToSchema)]
pub(super) struct Invite {
    email: String,
    /// `admin` or `member`; only owners invite admins, and nobody invites owners.
    role: RoleName,
}

#[derive(Serialize, ToSchema)]
pub(super) struct InvitationView {
    id: String,
    workspace_id: String,
    workspace_name: String,
    email: String,
    role: RoleName,
    /// The address of whoever invited.
    invited_by: String,
    expires_at: String,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            workspace_id: invitation.workspace_id,
            workspace_name: invitation.workspace_name,
            email: invitation.email,
            role: invitation.role.into(),
            invited_by: invitation.maker_email,
            expires_at: invitation.expires_at.rfc3339(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Invitations {
    invitations: Vec<InvitationView>,
}

impl From<Vec<Invitation>> for Invitations {
    fn from(invitations: Vec<Invitation>) -> Self {
        Self { invitations: invitations.into_iter().map(Into::into).collect() }
    }
}

/// Invite an email address
///
/// Whether it has an account is neither looked at nor told. Its owner finds the invitation at `/v1/invitations` and
/// has 14 days to accept it; no mail is sent. It replaces an earlier invitation of the same address.
#[utoipa::path(
    post, path = "/v1/workspaces/{id}/invitations", tag = "workspaces", operation_id = "invite",
    request_body = Invite, params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 201, description = "Invited.", body = InvitationView),
        (status = 400, description = "No address, or no such role."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "`forbidden`: the caller's role does not allow it. `sign_in_required`: the last sign-in \
            is not recent."),
        (status = 404, description = "No such workspace, or the caller is not a member."),
        (status = 409, description = "It is a member's address."),
        (status = 429, description = "Too much was made of late."))
)]
pub(super) async fn invite(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
    JsonBody(body): JsonBody<Invite>,
) -> Result<(StatusCode, Json<InvitationView>), ApiError> {
    let email = Email::parse(&body.email).map_err(|error| ApiError::validation(error.to_string()))?;
    let made = invitations::invite(tool.request(), id, &email, body.role.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// List the invitations into a workspace
#[utoipa::path(
    get, path = "/v1/workspaces/{id}/invitations", tag = "workspaces", operation_id = "list_waiting_invitations",
    params(("id" = String, Path, description = "The workspace.")), security(("bearer" = [])),
    responses((status = 200, description = "Those that wait for an answer.", body = Invitations),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such workspace, or the caller is not a member."))
)]
pub(super) async fn waiting(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
) -> Result<Json<Invitations>, ApiError> {
    Ok(Json(invitations::waiting(tool.request(), id).await?.into()))
}

/// Withdraw an invitation
#[utoipa::path(
    delete, path = "/v1/workspaces/{id}/invitations/{invitation_id}", tag = "workspaces",
    operation_id = "withdraw_invitation", security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."),
        ("invitation_id" = String, Path, description = "The invitation.")),
    responses((status = 204, description = "Withdrawn."), (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such workspace or invitation, or the caller is not a member."))
)]
pub(super) async fn withdraw(
    tool: FirstParty,
    PathIds((id, invitation)): PathIds<(Uuid, Uuid)>,
) -> Result<StatusCode, ApiError> {
    invitations::withdraw(tool.request(), id, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the caller's own invitations
#[utoipa::path(
    get, path = "/v1/invitations", tag = "workspaces", operation_id = "list_my_invitations",
    security(("bearer" = [])),
    responses((status = 200, description = "Those that can be accepted.", body = Invitations),
        (status = 401, description = "No valid access token."))
)]
pub(super) async fn mine(tool: FirstParty) -> Result<Json<Invitations>, ApiError> {
    Ok(Json(invitations::mine(tool.request()).await?.into()))
}

/// Accept an invitation
#[utoipa::path(
    post, path = "/v1/invitations/{id}/accept", tag = "workspaces", operation_id = "accept_invitation",
    params(("id" = String, Path, description = "The invitation.")), security(("bearer" = [])),
    responses((status = 200, description = "The caller is a member.", body = WorkspaceView),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "The caller has no such invitation, or whoever made it may not invite any more."))
)]
pub(super) async fn accept(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(invitations::accept(tool.request(), id).await?.into()))
}

/// Decline an invitation
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", tag = "workspaces", operation_id = "decline_invitation",
    params(("id" = String, Path, description = "The invitation.")), security(("bearer" = [])),
    responses((status = 204, description = "Declined."), (status = 401, description = "No valid access token."),
        (status = 404, description = "The caller has no such invitation."))
)]
pub(super) async fn decline(tool: FirstParty, PathIds(id): PathIds<Uuid>) -> Result<StatusCode, ApiError> {
    invitations::decline(tool.request(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
