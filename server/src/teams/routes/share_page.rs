//! `GET /s/{token}`: the one report that a share link shows, as a page or as JSON. It sets no cookie, and neither
//! asks for nor begins a session.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::app::AppState;
use crate::http::client::ClientAddress;
use crate::http::error::ApiError;
use crate::http::path_ids::PathIds;
use crate::pages::display_time::DisplayTime;
use crate::pages::error::PageError;
use crate::pages::layout::HtmlPage;
use crate::secret::SecretText;
use crate::teams::actions::error::TeamError;
use crate::teams::actions::shares;
use crate::teams::db::shares::Shared;
use crate::time::Timestamp;
use crate::tokens::share::ShareToken;

#[derive(Serialize)]
struct SharedView {
    title: String,
    body: String,
    created_at: String,
}

#[derive(Template)]
#[template(path = "share.html")]
struct SharePage {
    title: String,
    body: String,
    written: DisplayTime,
}

pub(super) async fn open(
    State(app): State<Arc<AppState>>,
    token: Result<PathIds<SecretText>, ApiError>,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
) -> Response {
    // Text that can't be a token still counts against its sender.
    let token = token.map_or_else(|_| SecretText::new(String::new()), |PathIds(token)| token);
    let opened = shares::open(&app, &ShareToken::received(token), from).await;
    let mut response = if wants_json(&headers) { as_json(opened) } else { as_page(opened, app.now()) };
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// A browser lists `text/html`; whoever lists JSON and not that wants JSON.
fn wants_json(headers: &HeaderMap) -> bool {
    let listed = |kind: &str| {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .filter_map(|range| range.split(';').next())
            .any(|range| range.trim().eq_ignore_ascii_case(kind))
    };
    listed("application/json") && !listed("text/html")
}

type Opened = Result<Shared, TeamError>;

fn as_json(opened: Opened) -> Response {
    match opened {
        Ok(shared) => Json(SharedView {
            title: shared.title,
            body: shared.body,
            created_at: shared.created_at.rfc3339(),
        })
        .into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

fn as_page(opened: Opened, now: Timestamp) -> Response {
    match opened {
        Ok(shared) => {
            let written = DisplayTime::new(shared.created_at, now);
            HtmlPage::new(SharePage { title: shared.title, body: shared.body, written }).into_response()
        }
        Err(TeamError::NotFound) => PageError::new(
            StatusCode::NOT_FOUND,
            "This link shows nothing",
            "It may have expired or been withdrawn. Ask whoever gave it to you for another one.",
        )
        .into_response(),
        Err(error) => PageError::from(error).into_response(),
    }
}
