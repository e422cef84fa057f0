//! `GET /.well-known/security.txt` (RFC 9116).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::app::AppState;
use crate::http::error::{ApiError, ErrorBody};
use crate::rules::security_contact::PATH;

/// Where to report a vulnerability
///
/// RFC 9116. 404 where whoever runs this server has not said it.
#[utoipa::path(
    get, path = PATH, tag = "running",
    responses(
        (status = 200, body = String, content_type = "text/plain; charset=utf-8", description = "security.txt"),
        (status = 404, body = ErrorBody, description = "Nobody has said it."),
    )
)]
pub async fn security_txt(State(app): State<Arc<AppState>>) -> Result<Response, ApiError> {
    let contact = app.security_contact.as_ref().ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "not_found", "This server does not say where reports go.")
    })?;
    let text = contact.text(&app.public_url, app.now());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
