//! `/enter`: the last step of a sign-in on loopback. Somebody else may have chosen the name under which a sign-in ran, and led
//! the person there. So its cookies are never set under that name, but sealed into a ticket that goes over the public address
//! to the browser's own name. If that is not the name of the sign-in, the person is asked first.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::actions::browser::{session, single_use_form};
use crate::actions::server_error::ServerError;
use crate::actions::sign_in::browser as sign_in;
use crate::app::AppState;
use crate::http::body::parse_form;
use crate::http::client::RequestCaller;
use crate::keys::seal;
use crate::pages::cookies::{self, CookieKind};
use crate::pages::error::PageError;
use crate::pages::form::{OpenForm, PageQuery};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::own_name;
use crate::rules::caller::NetworkCaller;
use crate::rules::local_path::LocalPath;
use crate::rules::page_name::PageName;
use crate::time::Timestamp;
use crate::tokens::browser::BrowserSecret;

/// How long a ticket works: a person may have to read a page first.
const LASTS: Duration = Duration::from_secs(300);

const PURPOSE: &str = "page cookies";

/// A cookie that the browser is to have, or to forget.
#[derive(Serialize, Deserialize)]
pub struct GivenCookie {
    kind: CookieKind,
    secret: Option<Zeroizing<String>>,
    secs: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Ticket {
    id: Uuid,
    /// The name under which the sign-in ran.
    name: String,
    next: String,
    until: i64,
    cookies: Vec<GivenCookie>,
}

impl GivenCookie {
    /// To be kept for `lasts`, or until the browser is closed.
    pub fn set(kind: CookieKind, secret: &BrowserSecret, lasts: Option<Duration>) -> Self {
        let secret = Zeroizing::new(secret.to_cookie().expose().to_owned());
        Self { kind, secret: Some(secret), secs: lasts.map(|span| span.as_secs()) }
    }

    /// To be forgotten.
    pub fn forgotten(kind: CookieKind) -> Self {
        Self { kind, secret: None, secs: None }
    }

    fn secret(&self) -> Option<BrowserSecret> {
        self.secret.as_ref().and_then(|text| BrowserSecret::parse(text))
    }
}

/// Goes on to `next` with these cookies: at once, or on loopback by a ticket.
pub fn hand_over(
    app: &AppState,
    headers: &HeaderMap,
    next: &str,
    given: Vec<GivenCookie>,
) -> Result<SeeOther, ServerError> {
    if !own_name::is_used(app) {
        return Ok(deliver(app, next, &given));
    }
    let name = own_name::of(headers).map_or_else(String::new, |name| name.as_str().to_owned());
    let until = app.now().plus(LASTS).millis();
    let ticket = Ticket { id: Uuid::new_v4(), name, next: next.to_owned(), until, cookies: given };
    let failed = |error: &dyn std::fmt::Display| ServerError::Unavailable(error.to_string());
    let plain = Zeroizing::new(serde_json::to_vec(&ticket).map_err(|error| failed(&error))?);
    let sealed = seal::seal(&app.keys.current(), PURPOSE, "", &plain).map_err(|error| failed(&error))?;
    Ok(SeeOther::to(format!("{}/enter?ticket={}", app.public_url, URL_SAFE_NO_PAD.encode(sealed))))
}

fn deliver(app: &AppState, next: &str, given: &[GivenCookie]) -> SeeOther {
    given.iter().fold(SeeOther::to(next), |answer, cookie| {
        answer.cookie(match cookie.secret() {
            Some(secret) => cookies::set(app, cookie.kind, &secret, cookie.secs.map(Duration::from_secs)),
            None => cookies::forget(app, cookie.kind),
        })
    })
}

#[derive(Deserialize)]
pub(super) struct Brought {
    ticket: String,
}

#[derive(Template)]
#[template(path = "enter.html")]
struct EnterPage {
    email: String,
    ticket: String,
}

/// `GET /enter`: signed in, if the sign-in ran in this very browser; else the person is asked.
pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    PageQuery(brought): PageQuery<Brought>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let (ticket, here) = open(&app, &headers, &brought.ticket)?;
    if ticket.name == here.as_str() {
        return Ok(enter(&app, &ticket).await?.into_response());
    }
    let email = whose(&app, &ticket, &caller).await?.ok_or_else(lapsed)?;
    Ok(HtmlPage::new(EnterPage { email, ticket: brought.ticket }).into_response())
}

/// `POST /enter`: they said yes.
pub(super) async fn confirm(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    OpenForm(text): OpenForm,
) -> Result<SeeOther, PageError> {
    let brought: Brought = parse_form(&text)?;
    let (ticket, _) = open(&app, &headers, &brought.ticket)?;
    enter(&app, &ticket).await
}

fn open(app: &AppState, headers: &HeaderMap, text: &str) -> Result<(Ticket, PageName), PageError> {
    let here = own_name::of(headers).filter(|_| own_name::is_used(app)).ok_or_else(PageError::not_found)?;
    let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| lapsed())?;
    let plain = app.keys.all().find_map(|key| seal::open(&key, PURPOSE, "", &sealed)).ok_or_else(lapsed)?;
    let ticket: Ticket = serde_json::from_slice(&plain).map_err(|_| lapsed())?;
    if app.now() >= Timestamp::from_millis(ticket.until) {
        return Err(lapsed());
    }
    Ok((ticket, here))
}

/// Once for each ticket.
async fn enter(app: &AppState, ticket: &Ticket) -> Result<SeeOther, PageError> {
    if !single_use_form::first_ticket(app, ticket.id).await? {
        return Err(lapsed());
    }
    let next = LocalPath::parse(&ticket.next).unwrap_or_else(LocalPath::home);
    Ok(deliver(app, next.as_str(), &ticket.cookies))
}

/// The address that its cookies sign in.
async fn whose(
    app: &AppState,
    ticket: &Ticket,
    caller: &NetworkCaller,
) -> Result<Option<String>, ServerError> {
    for cookie in &ticket.cookies {
        let Some(secret) = cookie.secret() else { continue };
        let email = match cookie.kind {
            CookieKind::Session => {
                session::open(app, &secret, caller).await?.map(|found| found.session.user.email)
            }
            CookieKind::SignIn => {
                sign_in::half_way(app, &secret).await?.map(|found| found.email.as_str().to_owned())
            }
            CookieKind::Remembered => None,
        };
        if email.is_some() {
            return Ok(email);
        }
    }
    Ok(None)
}

fn lapsed() -> PageError {
    PageError::new(
        StatusCode::FORBIDDEN,
        "This sign-in has ended",
        "It took too long, or this link was used before. Begin again if you are not signed in.",
    )
    .with_link("/dashboard", "Go to your dashboard")
}
