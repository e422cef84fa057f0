//! `/v1`: workspaces, members, invitations, reports and share links. Wire shapes only. Times are RFC 3339, UTC.

mod error;
mod files;
mod invitations;
mod members;
mod reports;
mod role_name;
mod share_page;
mod shares;
mod workspaces;

use std::sync::Arc;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

/// The routes, and the page that a share link opens.
pub fn routes() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(workspaces::list, workspaces::create))
        .routes(routes!(workspaces::read, workspaces::rename, workspaces::delete))
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
        .route("/s/{token}", get(share_page::open))
}

/// The routes on which files travel. They take their time, within limits of their own.
pub fn transfers() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(files::get, files::send))
        .route("/s/{token}/files/{place}", get(share_page::open_file))
}
