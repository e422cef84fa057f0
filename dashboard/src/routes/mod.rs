//! The routes, all behind the gate.

mod agent;
mod auth;
mod enter;
mod events;
pub mod plain;
mod reminder;
mod sessions;

use crate::app::App;
use crate::problem::Problem;
use crate::{assets, gate, pages, proof};
use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

/// Everything that is answered.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(pages::router())
        .route("/enter", get(enter::enter))
        .route("/assets/{name}", get(assets::get))
        .route("/events", get(events::follow))
        .route("/api/auth/status", get(auth::status))
        .route("/api/auth/login-request", post(auth::login_request))
        .route("/api/auth/login-verify", post(auth::login_verify))
        .route("/api/auth/logout", post(auth::logout))
        .route("/api/auth/reminder", get(reminder::get).post(reminder::set).delete(reminder::clear))
        .route("/api/sessions/login", post(sessions::login))
        .route("/api/sessions/wait", post(sessions::wait))
        .route("/api/sessions/answer", post(sessions::answer))
        .route("/api/sessions/cancel", post(sessions::cancel))
        .route("/api/sessions/refresh", post(sessions::refresh))
        .route("/api/sessions/logout", post(sessions::logout))
        .route("/api/agent/start", post(agent::start))
        .route("/api/here", get(here))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), proof::prove))
        .layer(from_fn_with_state(app.clone(), gate::guard))
        .with_state(app)
}

/// Nothing but the proof of who answers.
async fn here() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") || uri.path() == "/api" {
        return Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such route.").into_response();
    }
    plain::not_found()
}

async fn wrong_method() -> Problem {
    let message = "This route is not for this method.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
