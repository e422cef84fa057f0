//! OAuth 2 and OpenID Connect: how any client signs someone in through a browser. Wire shapes only.

mod authorize;
mod client;
mod device;
mod error;
mod introspect;
mod jwks;
mod metadata;
mod register;
mod revoke;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

/// OAuth's routes, at the root.
pub fn routes() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(metadata::authorization_server))
        .routes(routes!(metadata::openid_configuration))
        .routes(routes!(metadata::protected_resource))
        .routes(routes!(jwks::jwks))
        .routes(routes!(register::register))
        .routes(routes!(token::token))
        .routes(routes!(device::device_authorization))
        .routes(routes!(revoke::revoke))
        .routes(routes!(introspect::introspect))
        .routes(routes!(userinfo::get, userinfo::post))
}

/// The page that asks a user what a client may do.
pub fn pages() -> Router<Arc<AppState>> {
    Router::new().route("/authorize", get(authorize::show).post(authorize::answer))
}
