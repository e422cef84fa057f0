//! Forms, proved to come from a page of this server. What fails the proof is 403, and nothing is done.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::app::AppState;
use crate::http::body::{parse_form, read_form};
use crate::pages::cookies::{self, CookieKind};
use crate::pages::error::PageError;
use crate::pages::own_name;
use crate::pages::signed_in::{NotSignedIn, SignedInBrowser};
use crate::tokens::browser::{BrowserSecret, FormToken};

/// What a signed-in person sent, as `T`: small, each field once, from a page of ours. Every form needs
/// `<input type="hidden" name="csrf" value="{{ who.form_token }}">`; `T` does not name that field.
#[derive(Debug)]
pub struct PageForm<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned> FromRequest<Arc<AppState>> for PageForm<T> {
    type Rejection = NotSignedIn;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, NotSignedIn> {
        let (mut parts, body) = request.into_parts();
        let found = SignedInBrowser::find(&mut parts, app).await.map_err(NotSignedIn::Refused)?;
        let token = found.ok_or_else(|| NotSignedIn::Refused(PageError::signed_out()))?.form_token;
        proved(Request::from_parts(parts, body), app, token).await.map(Self).map_err(NotSignedIn::Refused)
    }
}

/// A form with nothing but its token.
#[derive(Debug, Deserialize)]
pub struct EmptyForm {}

/// What someone sent who is not signed in yet, from a page that gave this browser a sign-in cookie. Without that
/// proof another site could sign a browser in as someone else.
#[derive(Debug)]
pub struct SignInForm<T> {
    /// The browser's sign-in cookie.
    pub cookie: BrowserSecret,
    /// What was sent.
    pub form: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<AppState>> for SignInForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, PageError> {
        let failed = || PageError::forged().with_link("/signin", "Begin again");
        let cookie = cookies::read(app, request.headers(), CookieKind::SignIn).ok_or_else(failed)?;
        let form = proved(request, app, cookie.form_token()).await?;
        Ok(Self { cookie, form })
    }
}

/// What someone sent from a page of ours, as it came: where there is no cookie yet that a token could belong to.
#[derive(Debug)]
pub struct OpenForm(
    /// What was sent.
    pub Zeroizing<Vec<u8>>,
);

impl OpenForm {
    async fn from_here(request: Request, app: &AppState) -> Result<Self, PageError> {
        if !is_from_here(request.headers(), &own_name::origin(app, request.headers())) {
            return Err(PageError::forged());
        }
        Ok(Self(read_form(request).await?))
    }
}

impl FromRequest<Arc<AppState>> for OpenForm {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, PageError> {
        Self::from_here(request, app).await
    }
}

/// The query of a page's address as `T`, each name once.
#[derive(Debug)]
pub struct PageQuery<T>(
    /// What was asked for.
    pub T,
);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for PageQuery<T> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        Ok(Self(parse_form(parts.uri.query().unwrap_or_default().as_bytes())?))
    }
}

#[derive(Deserialize)]
struct Proof {
    csrf: Zeroizing<String>,
}

async fn proved<T: DeserializeOwned>(
    request: Request,
    app: &AppState,
    token: FormToken,
) -> Result<T, PageError> {
    let OpenForm(text) = OpenForm::from_here(request, app).await?;
    // Without a token, or with two, it was no form of ours.
    let proof: Proof = parse_form(&text).map_err(|_| PageError::forged())?;
    if FormToken::parse(&proof.csrf) != Some(token) {
        return Err(PageError::forged());
    }
    Ok(parse_form(&text)?)
}

/// Whether what the browser says of a form's origin, if anything, is this server. Browsers have sent `Origin` with
/// every form since 2020; for what sends neither header, the token decides alone.
fn is_from_here(headers: &HeaderMap, here: &str) -> bool {
    let all_are = |name: &str, good: &[&str]| {
        headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(|value| good.contains(&value)))
    };
    all_are("sec-fetch-site", &["same-origin", "none"]) && all_are("origin", &[here])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_browser_says_must_be_this_server() {
        let ask = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            is_from_here(&headers, "https://here.example")
        };
        assert!(ask(&[]));
        assert!(ask(&[("origin", "https://here.example")]));
        assert!(ask(&[("origin", "https://here.example"), ("sec-fetch-site", "same-origin")]));
        assert!(ask(&[("sec-fetch-site", "none")]));
        for (name, value) in [
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://here.example"),
            ("origin", "https://here.example:8443"),
            ("origin", "https://here.example.evil.example"),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "Same-Origin"),
            ("sec-fetch-site", ""),
        ] {
            assert!(!ask(&[(name, value)]), "{name}: {value}");
            assert!(!ask(&[("origin", "https://here.example"), (name, value)]), "{name}: {value}");
        }
    }
}
