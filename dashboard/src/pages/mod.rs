//! The pages.

use crate::app::App;
use axum::Router;

/// What the pages load, by name below `/assets/`.
pub(crate) const ASSETS: &[(&str, &[u8])] = &[];

/// The pages and their fragments. The gate is around them: whoever gets here has the cookie.
pub(crate) fn router() -> Router<App> {
    Router::new()
}
