//! `/v1/workspaces/{id}/reports/{report_id}/shares`.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::body::JsonBody;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;
use crate::teams::actions::shares;
use crate::teams::db::shares::Share;
use crate::teams::rules::share::opens;
use crate::time::Timestamp;

#[derive(Deserialize, ToSchema)]
#[schema(as = NewShare)]
pub(super) struct CreateShare {
    /// For how many days the link works: 1 to 90.
    #[schema(minimum = 1, maximum = 90)]
    expires_in_days: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct MadeView {
    id: String,
    /// The link with its token, which is shown only now.
    url: String,
    expires_at: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ShareView {
    id: String,
    /// The address of whoever made it.
    made_by: String,
    created_at: String,
    expires_at: String,
    revoked_at: Option<String>,
    last_opened_at: Option<String>,
    /// How often it was opened.
    opened: i64,
    /// Whether it opens the report now: it is not lapsed or revoked, and its maker may still share.
    works: bool,
}

impl ShareView {
    fn of(share: Share, now: Timestamp) -> Self {
        Self {
            id: share.id,
            made_by: share.maker_email,
            created_at: share.created_at.rfc3339(),
            expires_at: share.facts.expires_at.rfc3339(),
            revoked_at: share.revoked_at.map(Timestamp::rfc3339),
            last_opened_at: share.last_opened_at.map(Timestamp::rfc3339),
            opened: share.opened,
            works: opens(share.facts, now),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Shares {
    shares: Vec<ShareView>,
}

/// Make a link that shows this one report with its files to whoever holds it
///
/// For owners and admins. It stops working when it lapses or is revoked, when the report is deleted, and when its
/// maker leaves, becomes a mere member, or is disabled.
#[utoipa::path(
    post, path = "/v1/workspaces/{id}/reports/{report_id}/shares", tag = "workspaces", operation_id = "create_share",
    request_body = CreateShare, security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report.")),
    responses((status = 201, description = "Made.", body = MadeView),
        (status = 400, description = "No such number of days."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "`forbidden`: the caller's role does not allow it. `sign_in_required`: more than 7 days, \
            and the last sign-in is not recent."),
        (status = 404, description = "No such report in this workspace, or the caller is not a member."),
        (status = 409, description = "The report has not all its files yet."),
        (status = 429, description = "Too much was made of late."))
)]
pub(super) async fn create(
    tool: FirstParty,
    PathIds((id, report)): PathIds<(Uuid, Uuid)>,
    JsonBody(body): JsonBody<CreateShare>,
) -> Result<(StatusCode, Json<MadeView>), ApiError> {
    let made = shares::create(tool.request(), id, report, body.expires_in_days).await?;
    let url = format!("{}/s/{}", tool.app.public_url, made.token.expose());
    Ok((StatusCode::CREATED, Json(MadeView { id: made.id, url, expires_at: made.expires_at.rfc3339() })))
}

/// List a report's links
#[utoipa::path(
    get, path = "/v1/workspaces/{id}/reports/{report_id}/shares", tag = "workspaces", operation_id = "list_shares",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report.")),
    responses((status = 200, description = "Newest first, without their tokens.", body = Shares),
        (status = 401, description = "No valid access token."),
        (status = 404, description = "No such report in this workspace, or the caller is not a member."))
)]
pub(super) async fn list(
    tool: FirstParty,
    PathIds((id, report)): PathIds<(Uuid, Uuid)>,
) -> Result<Json<Shares>, ApiError> {
    let (shares, now) = shares::list(tool.request(), id, report).await?;
    Ok(Json(Shares { shares: shares.into_iter().map(|share| ShareView::of(share, now)).collect() }))
}

/// Revoke a link
///
/// For owners and admins.
#[utoipa::path(
    delete, path = "/v1/workspaces/{id}/reports/{report_id}/shares/{share_id}", tag = "workspaces",
    operation_id = "revoke_share", security(("bearer" = [])),
    params(("id" = String, Path, description = "The workspace."), ("report_id" = String, Path, description = "The report."),
        ("share_id" = String, Path, description = "The link.")),
    responses((status = 204, description = "Revoked."), (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller's role does not allow it."),
        (status = 404, description = "No such link, or the caller is not a member."))
)]
pub(super) async fn revoke(
    tool: FirstParty,
    PathIds((id, report, share)): PathIds<(Uuid, Uuid, Uuid)>,
) -> Result<StatusCode, ApiError> {
    shares::revoke(tool.request(), id, report, share).await?;
    Ok(StatusCode::NO_CONTENT)
}
