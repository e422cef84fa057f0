//! The cookies of browsers: host-only, out of reach of scripts and of other sites' forms.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time};
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::pages::own_name;
use crate::tokens::browser::BrowserSecret;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CookieKind {
    Session,
    /// A browser on its way there.
    SignIn,
    /// A browser that is spared the second factor.
    Remembered,
}

impl CookieKind {
    /// Its name. `__Host-` makes browsers refuse it from anyone but this very host over TLS; on `http://`, which is
    /// for loopback only, they would refuse it from us too.
    fn name(self, app: &AppState) -> &'static str {
        match (self, is_encrypted(app)) {
            (Self::Session, true) => "__Host-everkey",
            (Self::Session, false) => "everkey",
            (Self::SignIn, true) => "__Host-everkey-signin",
            (Self::SignIn, false) => "everkey-signin",
            (Self::Remembered, true) => "__Host-everkey-remembered",
            (Self::Remembered, false) => "everkey-remembered",
        }
    }
}

/// The secret in the request's cookie of this kind. A cookie that comes twice counts for nothing: one of the two was
/// planted; nor does one on loopback that another port may know.
pub fn read(app: &AppState, headers: &HeaderMap, kind: CookieKind) -> Option<BrowserSecret> {
    if own_name::is_used(app) && own_name::of(headers).is_none() {
        return None;
    }
    let name = kind.name(app);
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = texts.flat_map(Cookie::split_parse).flatten().filter(|cookie| cookie.name() == name);
    match (values.next(), values.next()) {
        (Some(cookie), None) => BrowserSecret::parse(cookie.value()),
        (_, _) => None,
    }
}

/// A `Set-Cookie` that gives the browser this secret, for `lasts` or until it is closed.
pub fn set(app: &AppState, kind: CookieKind, secret: &BrowserSecret, lasts: Option<Duration>) -> HeaderValue {
    let lasts = lasts.map(|span| time::Duration::try_from(span).unwrap_or(time::Duration::MAX));
    let mut cookie = build(app, kind, secret.to_cookie().expose());
    cookie.set_max_age(lasts);
    header_value(&cookie)
}

/// A `Set-Cookie` that makes the browser forget its cookie of this kind.
pub fn forget(app: &AppState, kind: CookieKind) -> HeaderValue {
    let mut cookie = build(app, kind, "");
    cookie.set_max_age(time::Duration::ZERO);
    header_value(&cookie)
}

fn build(app: &AppState, kind: CookieKind, value: &str) -> Cookie<'static> {
    Cookie::build((kind.name(app), value.to_owned()))
        .http_only(true)
        .secure(is_encrypted(app))
        .same_site(SameSite::Lax)
        .path("/")
        .build()
}

fn is_encrypted(app: &AppState) -> bool {
    app.public_url.starts_with("https://")
}

/// Every part is base64url or a constant, so this never falls back to the empty value.
fn header_value(cookie: &Cookie<'_>) -> HeaderValue {
    let mut value =
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
