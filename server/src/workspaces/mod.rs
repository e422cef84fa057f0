//! `/v1`: workspaces, members, invitations, reports and share links, and what a platform admin may do to accounts.
//! Wire shapes only. Times are RFC 3339, UTC.

mod admin;
mod invitations;
mod members;
mod page;
mod reports;
mod shares;
mod spaces;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::routing::get;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actions::Refusal;
use crate::actions::workspaces::Asking;
use crate::app::App;
use crate::http::bearer::Bearer;
use crate::http::client::Asks;
use crate::http::error::ApiError;
use crate::rules::caller::Caller;
use crate::rules::role::Role;
use crate::secret::SecretText;

/// The routes, and the page that a share link opens.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(spaces::list, spaces::create))
        .routes(routes!(spaces::read, spaces::rename, spaces::delete))
        .routes(routes!(members::list))
        .routes(routes!(members::change, members::remove))
        .routes(routes!(invitations::waiting, invitations::invite))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(invitations::mine))
        .routes(routes!(invitations::decline))
        .routes(routes!(invitations::accept))
        .routes(routes!(reports::list, reports::create))
        .routes(routes!(reports::read, reports::delete))
        .routes(routes!(shares::list, shares::create))
        .routes(routes!(shares::revoke))
        .routes(routes!(admin::list))
        .routes(routes!(admin::disable))
        .routes(routes!(admin::enable))
        .route("/s/{token}", get(page::open))
}

/// A request of a user's own tool.
struct First {
    app: Arc<App>,
    token: SecretText,
    caller: Caller,
}

impl First {
    fn asking(&self) -> Asking<'_> {
        Asking { app: &self.app, token: &self.token, caller: &self.caller }
    }
}

impl FromRequestParts<Arc<App>> for First {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Bearer(token) = Bearer::from_request_parts(parts, app).await?;
        let Asks(caller) = Asks::from_request_parts(parts, app).await?;
        Ok(Self { app: Arc::clone(app), token, caller })
    }
}

/// What stands in a path. Text that is no id names nothing, like an id that is not there.
struct Ids<T>(T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Ids<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(Refusal::NotFound.into()),
        }
    }
}

/// A role in one workspace.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RoleWord {
    Owner,
    Admin,
    Member,
}

impl From<Role> for RoleWord {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Owner => Self::Owner,
            RoleWord::Admin => Self::Admin,
            RoleWord::Member => Self::Member,
        }
    }
}
