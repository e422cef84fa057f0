//! `GET /enter?key=KEY`: the way in by a one-time link.

use crate::app::App;
use crate::gate::COOKIE;
use crate::routes::plain;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite};
use std::time::Instant;

/// Uses the link up and lets the browser in. One that only looks ahead, or asks for the head, uses nothing up.
pub async fn enter(
    State(app): State<App>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let ahead = ["sec-purpose", "purpose"]
        .iter()
        .any(|name| headers.get(*name).is_some_and(|value| value.as_bytes().starts_with(b"prefetch")));
    if ahead || method == Method::HEAD {
        return StatusCode::NO_CONTENT.into_response();
    }
    let key = query.as_deref().and_then(|query| query.strip_prefix("key=")).unwrap_or_default();
    if !app.links().redeem(key, Instant::now()) {
        return plain::used();
    }
    let Ok(pass) = app.browsers().admit() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut cookie =
        Cookie::build((COOKIE, pass.expose())).http_only(true).same_site(SameSite::Strict).path("/").build();
    let life = app.browsers().life().and_then(|life| cookie::time::Duration::try_from(life).ok());
    if let Some(life) = life {
        cookie.set_max_age(life);
    }
    let Ok(mut cookie) = HeaderValue::from_str(&cookie.to_string()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    cookie.set_sensitive(true);
    ([(header::SET_COOKIE, cookie)], plain::welcome()).into_response()
}
