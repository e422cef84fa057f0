//! Errors of the shared machinery (no such route, a panic, a full server) as pages, when a browser asked for one.

use axum::extract::{MatchedPath, Request};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::http::error::ApiError;
use crate::pages::error::PageError;

/// Where programs ask: an address that is not there is told them in JSON whatever they say they accept.
const PROGRAMS: [&str; 4] = ["/v0/", "/v1/", "/api/", "/.well-known/"];

/// What is a page. The rest of the routes are programs', and some of those say that they accept HTML.
const PAGES: [&str; 10] = [
    "/",
    "/signin",
    "/enter",
    "/signout",
    "/dashboard",
    "/device",
    "/cli/verify",
    "/cli-auth",
    "/authorize",
    "/assets",
];

/// Turns an [`ApiError`] into a page if a browser asked for one.
pub async fn errors_as_pages(request: Request, next: Next) -> Response {
    let wanted = wants_page(&request);
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<ApiError>() {
        Some(error) if wanted => {
            let mut page = PageError::from(error).into_response();
            if let Some(allowed) = response.headers_mut().remove(header::ALLOW) {
                page.headers_mut().insert(header::ALLOW, allowed);
            }
            page
        }
        Some(_) | None => response,
    }
}

fn wants_page(request: &Request) -> bool {
    let path = request.uri().path();
    let page = match request.extensions().get::<MatchedPath>() {
        Some(route) => is_page(route.as_str()),
        None => is_page(path) || !PROGRAMS.iter().any(|start| path.starts_with(start)),
    };
    let accepts = request.headers().get_all(header::ACCEPT).iter();
    page && accepts.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

fn is_page(path: &str) -> bool {
    PAGES.iter().any(|page| path == *page || (*page != "/" && path.starts_with(&format!("{page}/"))))
}
