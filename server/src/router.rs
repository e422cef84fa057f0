//! All routes in one place, with the layers around them.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;
use crate::http::error::ApiError;
use crate::http::{health, layers, openapi, security_txt};
use crate::{achilles, admin, binboi, failproofai, oauth, pages, teams};

/// The whole service. JSON routes are added with `routes!`, which describes them; pages with `route`.
pub fn router(app: Arc<AppState>) -> Router {
    let (transfers, transfers_described) = teams::transfers().split_for_parts();
    let (routes, mut described) = OpenApiRouter::with_openapi(openapi::begin(&app.public_url))
        .routes(routes!(health::healthz))
        .routes(routes!(security_txt::security_txt))
        .merge(failproofai::routes())
        .merge(oauth::routes())
        .merge(binboi::routes())
        .merge(teams::routes())
        .merge(admin::routes())
        .merge(achilles::routes())
        .split_for_parts();
    described.merge(transfers_described);
    routes
        .merge(openapi::route(described))
        .merge(pages::routes(&app, oauth::pages()))
        .fallback(no_such_route)
        .layer(from_fn(layers::limit_time))
        .merge(transfers)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(layers::on_panic))
        .layer(from_fn(pages::error_pages::errors_as_pages))
        .layer(from_fn_with_state(Arc::clone(&app), layers::set_headers))
        .layer(from_fn(layers::log))
        .with_state(app)
}

async fn no_such_route() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "There is no such route.")
}

async fn wrong_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This route has no such method.")
}
