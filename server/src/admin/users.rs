//! `/v1/admin/users`: accounts, for platform admins.

use axum::Json;
use axum::extract::RawQuery;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::actions::accounts::admin;
use crate::db::users::{AccountStatus, StoredUser};
use crate::http::body::parse_form;
use crate::http::error::ApiError;
use crate::http::first_party::FirstParty;
use crate::http::path_ids::PathIds;

/// How many users one answer lists unless it is asked for less.
const MOST: u32 = 200;

#[derive(Deserialize)]
pub(super) struct UsersQuery {
    after: Option<Uuid>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UserView)]
pub(super) struct AccountView {
    id: String,
    email: String,
    name: String,
    plan: String,
    /// `none` or `admin`.
    platform_role: &'static str,
    /// `active` or `disabled`.
    status: &'static str,
    created_at: String,
}

impl From<StoredUser> for AccountView {
    fn from(user: StoredUser) -> Self {
        Self {
            platform_role: user.platform.as_str(),
            status: user.status.as_str(),
            created_at: user.created_at.rfc3339(),
            id: user.id,
            email: user.email,
            name: user.name,
            plan: user.plan,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Users)]
pub(super) struct AccountList {
    users: Vec<AccountView>,
}

/// List users
///
/// In the order of their ids. For the next ones, ask again with the last id as `after`.
#[utoipa::path(
    get, path = "/v1/admin/users", tag = "admin", operation_id = "list_users", security(("bearer" = [])),
    params(("after" = Option<String>, Query, description = "Begin after this id."),
        ("limit" = Option<u32>, Query, description = "At most so many, 1 to 200.")),
    responses((status = 200, description = "Users.", body = AccountList), (status = 400, description = "No such limit or id."),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller has not the platform role admin."))
)]
pub(super) async fn list(tool: FirstParty, RawQuery(query): RawQuery) -> Result<Json<AccountList>, ApiError> {
    let page: UsersQuery = parse_form(query.unwrap_or_default().as_bytes())?;
    let limit = page.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::validation("limit must be a whole number from 1 to 200."));
    }
    let users = admin::list(tool.request(), page.after, limit).await?;
    Ok(Json(AccountList { users: users.into_iter().map(Into::into).collect() }))
}

/// Disable an account
///
/// Its sessions end for good, and no new one begins until it is enabled again.
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/disable", tag = "admin", operation_id = "disable_user",
    params(("id" = String, Path, description = "The user.")), security(("bearer" = [])),
    responses((status = 200, description = "Disabled.", body = AccountView),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller has not the platform role admin."),
        (status = 404, description = "No such user."), (status = 409, description = "It is the caller's own account."))
)]
pub(super) async fn disable(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
) -> Result<Json<AccountView>, ApiError> {
    Ok(Json(admin::set_status(tool.request(), id, AccountStatus::Disabled).await?.into()))
}

/// Enable an account again
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/enable", tag = "admin", operation_id = "enable_user",
    params(("id" = String, Path, description = "The user.")), security(("bearer" = [])),
    responses((status = 200, description = "Enabled.", body = AccountView),
        (status = 401, description = "No valid access token."),
        (status = 403, description = "The caller has not the platform role admin."),
        (status = 404, description = "No such user."), (status = 409, description = "It is the caller's own account."))
)]
pub(super) async fn enable(
    tool: FirstParty,
    PathIds(id): PathIds<Uuid>,
) -> Result<Json<AccountView>, ApiError> {
    Ok(Json(admin::set_status(tool.request(), id, AccountStatus::Active).await?.into()))
}
