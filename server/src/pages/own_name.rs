//! On loopback the pages are only there under a name that the browser has for itself ([`PageName`]). Any other way leads to
//! a page that goes on to that name: its script keeps the name in the storage of this origin, which, unlike a cookie, belongs
//! to one port. Without scripts the way in leads to a new name each time.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::pages::error::PageError;
use crate::pages::layout::HtmlPage;
use crate::rules::page_name::{PageName, authority, is_loopback};

#[derive(Template)]
#[template(path = "own_name.html")]
struct WayInPage {
    on: String,
}

/// Whether this server's pages have names of their own.
pub fn is_used(app: &AppState) -> bool {
    is_loopback(&app.public_url)
}

/// The name that a request was sent to.
pub fn of(headers: &HeaderMap) -> Option<PageName> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).and_then(PageName::of_host)
}

/// The origin that a page's forms come from.
pub fn origin(app: &AppState, headers: &HeaderMap) -> String {
    match of(headers) {
        Some(_) if is_used(app) => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            format!("http://{host}")
        }
        Some(_) | None => app.public_url.clone(),
    }
}

/// Around every page: lets a browser in by its own name, and shows any other the way there.
pub async fn lead(State(app): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    if !is_used(&app) {
        return next.run(request).await;
    }
    if of(request.headers()).is_some() {
        let mut response = next.run(request).await;
        allow_way_in(response.headers_mut(), &app.public_url);
        return response;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return PageError::signed_out().into_response();
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host != Some(authority(&app.public_url)) {
        // The browser keeps its name at the public address.
        return match HeaderValue::try_from(format!("{}{path}", app.public_url)) {
            Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
            Err(_) => PageError::not_found().into_response(),
        };
    }
    match PageName::random() {
        Ok(name) => {
            HtmlPage::new(WayInPage { on: name.at(&app.public_url, path) }).with_script().into_response()
        }
        Err(error) => PageError::from(ServerError::from(error)).into_response(),
    }
}

/// Browsers hold `form-action` against redirects, and signing in leads over the public address.
fn allow_way_in(headers: &mut HeaderMap, public_url: &str) {
    const OWN: &str = "form-action 'self'";
    let Some(policy) = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok())
    else {
        return;
    };
    if let Ok(policy) = HeaderValue::try_from(policy.replacen(OWN, &format!("{OWN} {public_url}"), 1)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
