//! `GET /s/{token}`: the one report that a share link shows, as a page or as JSON, and its files below. It sets no
//! cookie, and neither asks for nor begins a session.

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
use crate::teams::db::files::ReportFile;
use crate::teams::db::shares::Shared;
use crate::teams::routes::files::as_attachment;
use crate::teams::routes::reports::FileView;
use crate::time::Timestamp;
use crate::tokens::share::ShareToken;

#[derive(Serialize)]
struct SharedView {
    title: String,
    body: String,
    created_at: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileView>,
}

#[derive(Template)]
#[template(path = "share.html")]
struct SharePage {
    title: String,
    body: String,
    written: DisplayTime,
    files: Vec<FileLink>,
}

struct FileLink {
    name: String,
    size: String,
    href: String,
}

impl FileLink {
    /// Whoever sees the page has the token already: it stands in the page's own address.
    fn of(file: &ReportFile, token: &ShareToken) -> Self {
        Self {
            name: file.file.name.clone(),
            size: readable(file.file.seal.size),
            href: format!("/s/{}/files/{}", token.expose(), file.place),
        }
    }
}

fn readable(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}

pub(super) async fn open(
    State(app): State<Arc<AppState>>,
    token: Result<PathIds<SecretText>, ApiError>,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
) -> Response {
    // Text that can't be a token still counts against its sender.
    let token = token.map_or_else(|_| SecretText::new(String::new()), |PathIds(token)| token);
    let token = ShareToken::received(token);
    let opened = shares::open(&app, &token, from).await;
    let response = if wants_json(&headers) { as_json(opened) } else { as_page(opened, &token, app.now()) };
    unlisted(response)
}

/// One file of what a link shows.
pub(super) async fn open_file(
    State(app): State<Arc<AppState>>,
    path: Result<PathIds<(SecretText, i64)>, ApiError>,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
) -> Response {
    // Text that can't be a file's still counts against its sender.
    let (token, place) = path.map_or_else(|_| (SecretText::new(String::new()), 0), |PathIds(path)| path);
    let opened = shares::open_file(&app, &ShareToken::received(token), place, from).await;
    unlisted(match opened {
        Ok(download) => as_attachment(download),
        Err(error) if wants_json(&headers) => ApiError::from(error).into_response(),
        Err(error) => error_page(error),
    })
}

/// A page that no search engine keeps and no other site hears of.
fn unlisted(mut response: Response) -> Response {
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

type Opened = Result<(Shared, Vec<ReportFile>), TeamError>;

fn as_json(opened: Opened) -> Response {
    match opened {
        Ok((shared, files)) => Json(SharedView {
            title: shared.title,
            body: shared.body,
            created_at: shared.created_at.rfc3339(),
            files: files.into_iter().map(Into::into).collect(),
        })
        .into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

fn as_page(opened: Opened, token: &ShareToken, now: Timestamp) -> Response {
    match opened {
        Ok((shared, files)) => {
            let written = DisplayTime::new(shared.created_at, now);
            let files = files.iter().map(|file| FileLink::of(file, token)).collect();
            HtmlPage::new(SharePage { title: shared.title, body: shared.body, written, files })
                .into_response()
        }
        Err(error) => error_page(error),
    }
}

fn error_page(error: TeamError) -> Response {
    match error {
        TeamError::NotFound => PageError::new(
            StatusCode::NOT_FOUND,
            "This link shows nothing",
            "It may have expired or been withdrawn. Ask whoever gave it to you for another one.",
        )
        .into_response(),
        error => PageError::from(error).into_response(),
    }
}
