//! The failproofai contract: email codes, rotating sessions, the re-audit reminder. Wire shapes only.

mod login;
mod logout;
mod me;
mod refresh;
mod reminders;
mod session;
mod tokens;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

/// The contract's routes.
pub fn routes() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(login::request))
        .routes(routes!(login::verify))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(session::session))
        .routes(routes!(me::me))
        .routes(routes!(reminders::get, reminders::set, reminders::clear))
}
