//! Who gets in, and the headers that everything leaves with. Around all routes.

use crate::app::App;
use crate::body;
use crate::problem::Problem;
use crate::routes::plain;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cookie::Cookie;
use everkey_listen::Peer;

/// The cookie of a browser that came in.
pub const COOKIE: &str = "everkey_dashboard";

const ASSETS: &str = "/assets/";

const FETCH_SITE: &str = "sec-fetch-site";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Lets a request through, or answers it.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let asset = request.uri().path().starts_with(ASSETS);
    let mut response = match refusal(&app, &request) {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    dress(response.headers_mut());
    // Of what is served, only the assets say how they may be kept.
    if !asset || !response.headers().contains_key(header::CACHE_CONTROL) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn refusal(app: &App, request: &Request) -> Option<Response> {
    // A peer that nobody has looked up is nobody's.
    match request.extensions().get::<Peer>() {
        Some(Peer::Own | Peer::Unknown) => {}
        Some(Peer::Stranger) | None => return Some(StatusCode::FORBIDDEN.into_response()),
    }
    let (headers, path) = (request.headers(), request.uri().path());
    if !is_for_us(app, headers, request.uri().authority()) {
        return Some(StatusCode::MISDIRECTED_REQUEST.into_response());
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes
        && !(only(headers, header::ORIGIN.as_str(), &[app.origin()])
            && only(headers, FETCH_SITE, &["same-origin"]))
    {
        let message = "Only the dashboard's own page may ask for this.";
        return Some(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", message).into_response());
    }
    if is_open(path) {
        return None;
    }
    // What is no page is only for our pages, or for whoever types its address.
    if is_data(path) && !changes && !only(headers, FETCH_SITE, &["same-origin", "none"]) {
        return Some(StatusCode::FORBIDDEN.into_response());
    }
    if !passes(headers).any(|pass| app.browsers().knows(pass)) {
        return Some(if is_api(path) {
            let message = "This browser has not come in by a link of this dashboard.";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
            problem.hint("Run `everkey dashboard` again.").into_response()
        } else {
            plain::not_in()
        });
    }
    if changes && !body::is_json_or_none(headers) {
        let message = "A body must be application/json.";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message);
        return Some(problem.into_response());
    }
    None
}

/// Whether a request was sent to the one name that nobody else can guess: a page that resolves to this machine by
/// another name (DNS rebinding) gets nothing.
fn is_for_us(app: &App, headers: &HeaderMap, authority: Option<&Authority>) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    let named = host.is_some_and(|host| host.as_bytes() == app.host().as_bytes()) && more.is_none();
    named && authority.is_none_or(|authority| authority.as_str() == app.host())
}

/// Whether a header, if it is there, has one of these values and no other.
fn only(headers: &HeaderMap, name: &str, values: &[&str]) -> bool {
    headers.get_all(name).iter().all(|given| values.iter().any(|value| given.as_bytes() == value.as_bytes()))
}

fn is_open(path: &str) -> bool {
    path == "/enter" || path.starts_with(ASSETS)
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn is_data(path: &str) -> bool {
    is_api(path) || path == "/events" || path.starts_with("/fragment/")
}

/// The values of our cookie; another program on this name may have set one, too.
fn passes(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(Cookie::split_parse).flatten().filter(|cookie| cookie.name() == COOKIE);
    cookies.filter_map(|cookie| cookie.value_raw())
}

/// What every answer wears.
fn dress(headers: &mut HeaderMap) {
    let always: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
