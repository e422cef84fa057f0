//! The signed-in browser behind a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::actions::browser::session::{self, BrowserSession};
use crate::app::AppState;
use crate::db::sessions::StoredSession;
use crate::http::client::RequestCaller;
use crate::pages::cookies::{self, CookieKind};
use crate::pages::error::PageError;
use crate::pages::layout::SeeOther;
use crate::rules::caller::NetworkCaller;
use crate::rules::local_path::LocalPath;
use crate::time::Timestamp;
use crate::tokens::browser::FormToken;

/// Who is signed in. Without one a GET is sent to the sign-in, which leads back here, and anything else gets an error
/// page. [`Option`] works too, for pages that anyone may see.
#[derive(Clone, Debug)]
pub struct SignedInBrowser {
    /// The browser's session, with its user.
    pub session: StoredSession,
    /// When the person last proved who they are (OIDC's `auth_time`).
    pub proved_at: Timestamp,
    /// The token that the forms of this browser carry.
    pub form_token: FormToken,
    /// Who asks this time, as far as the network tells.
    pub caller: NetworkCaller,
}

/// The answer to a browser that is not signed in.
#[derive(Debug)]
pub enum NotSignedIn {
    /// It is to sign in and come back.
    SignIn(LocalPath),
    /// It is told why not.
    Refused(PageError),
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(next) => SeeOther::to(sign_in_path(&next)).into_response(),
            Self::Refused(error) => error.into_response(),
        }
    }
}

/// The sign-in that leads to `next`. A browser that is signed in goes straight there.
pub fn sign_in_path(next: &LocalPath) -> String {
    format!("/signin?{}", query(next))
}

/// The sign-in that leads to `next` even for a browser that is signed in (OIDC's `prompt=login` and `max_age`).
pub fn sign_in_again_path(next: &LocalPath) -> String {
    format!("/signin?again=1&{}", query(next))
}

fn query(next: &LocalPath) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next.as_str()).finish()
}

impl SignedInBrowser {
    /// The signed-in browser of a request, if it is one.
    pub async fn find(parts: &mut Parts, app: &Arc<AppState>) -> Result<Option<Self>, PageError> {
        if let Some(found) = parts.extensions.get::<Self>() {
            return Ok(Some(found.clone()));
        }
        let Some(cookie) = cookies::read(app, &parts.headers, CookieKind::Session) else { return Ok(None) };
        let RequestCaller(caller) = RequestCaller::from_request_parts(parts, app).await?;
        let Some(BrowserSession { session, proved_at }) = session::open(app, &cookie, &caller).await? else {
            return Ok(None);
        };
        let found = Self { session, proved_at, form_token: cookie.form_token(), caller };
        parts.extensions.insert(found.clone());
        Ok(Some(found))
    }
}

impl FromRequestParts<Arc<AppState>> for SignedInBrowser {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, NotSignedIn> {
        match Self::find(parts, app).await.map_err(NotSignedIn::Refused)? {
            Some(found) => Ok(found),
            None if matches!(parts.method, Method::GET | Method::HEAD) => {
                let here = parts.uri.path_and_query().and_then(|here| LocalPath::parse(here.as_str()));
                Err(NotSignedIn::SignIn(here.unwrap_or_else(LocalPath::home)))
            }
            None => Err(NotSignedIn::Refused(PageError::signed_out())),
        }
    }
}

impl axum::extract::OptionalFromRequestParts<Arc<AppState>> for SignedInBrowser {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Option<Self>, PageError> {
        Self::find(parts, app).await
    }
}
