//! The failproofai contract: email codes, rotating sessions, the re-audit reminder. Wire shapes only.

mod login;
mod logout;
mod me;
mod refresh;
mod reminders;
mod session;
mod tokens;

use std::sync::Arc;

use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The contract's routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .route("/v0/auth/login/request", post(login::request))
        .route("/v0/auth/login/verify", post(login::verify))
        .route("/v0/auth/token/refresh", post(refresh::refresh))
        .route("/v0/auth/logout", post(logout::logout))
        .route("/v0/auth/session", get(session::session))
        .route("/v0/auth/me", get(me::me))
        .route("/v0/reminders", get(reminders::get).post(reminders::set).delete(reminders::clear))
}
