//! `/dashboard/security`: the second factor, its recovery codes, and the browsers that are spared it. Whatever changes
//! one needs a recent sign-in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;
use uuid::Uuid;

use super::cookies::{self, Kind};
use super::error::{PageError, set_retry_after, wait};
use super::form::PageForm;
use super::layout::{Page, Section, SeeOther, Who};
use super::web::{SignedIn, sign_in_again_path};
use crate::actions::Refusal;
use crate::actions::second_factor::browsers;
use crate::actions::second_factor::enrol::{self, Confirmed};
use crate::actions::second_factor::manage::{self, Overview};
use crate::app::App;
use crate::rules::local_path::LocalPath;
use crate::rules::second_factor::recent;
use crate::secret::SecretText;
use crate::time::Moment;
use crate::tokens::totp::{Answer, FactorSecrets, RecoveryCode};

const HERE: &str = "/dashboard/security";
const SET_UP: &str = "/dashboard/security/setup";

const NOT_AN_ANSWER: &str = "Type the six digits your app shows, or one of your recovery codes.";
const WRONG: &str = "That code is wrong, or was used before. Wait for the next one your app shows.";

#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage {
    who: Who,
    factor: Option<Overview>,
    recent: bool,
    sign_in_again: String,
    alert: Option<String>,
}

#[derive(Template)]
#[template(path = "security_setup.html")]
struct SetUpPage {
    who: Who,
    qr: String,
    secret: SecretText,
    alert: Option<String>,
}

#[derive(Template)]
#[template(path = "security_codes.html")]
struct CodesPage {
    who: Who,
    fresh: bool,
    codes: Vec<RecoveryCode>,
}

/// A form with nothing but its token.
#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
pub(super) struct Typed {
    code: SecretText,
}

#[derive(Deserialize)]
pub(super) struct Which {
    id: String,
}

impl SecurityPage {
    fn date(&self, at: &Moment) -> String {
        at.rfc3339().chars().take(10).collect()
    }
}

pub(super) async fn show(State(app): State<Arc<App>>, signed_in: SignedIn) -> Result<Response, PageError> {
    page(&app, &signed_in, StatusCode::OK, None).await
}

async fn page(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    alert: Option<String>,
) -> Result<Response, PageError> {
    let page = SecurityPage {
        who: Who::at(Section::Security, signed_in),
        factor: manage::overview(app, &signed_in.session).await?,
        recent: recent(signed_in.proved_at, app.now()),
        sign_in_again: again_path(),
        alert,
    };
    Ok(Page::new(page).status(status).into_response())
}

fn again_path() -> String {
    sign_in_again_path(&LocalPath::parse(HERE).unwrap_or_else(LocalPath::home))
}

/// The way to a fresh sign-in, for whoever's is not recent.
fn stale(app: &App, signed_in: &SignedIn) -> Option<Response> {
    let stale = !recent(signed_in.proved_at, app.now());
    stale.then(|| SeeOther::to(again_path()).into_response())
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(Nothing {}): PageForm<Nothing>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    enrol::begin(&app, &signed_in.session).await?;
    Ok(SeeOther::to(SET_UP).into_response())
}

pub(super) async fn set_up(State(app): State<Arc<App>>, signed_in: SignedIn) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    set_up_page(&app, &signed_in, StatusCode::OK, None).await
}

async fn set_up_page(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    alert: Option<String>,
) -> Result<Response, PageError> {
    let Some(secrets) = enrol::waiting(app, &signed_in.session).await? else {
        return Ok(SeeOther::to(HERE).into_response());
    };
    let who = Who::at(Section::Security, signed_in);
    let page = SetUpPage { qr: qr(app, &secrets, &who.email)?, secret: in_groups(&secrets), who, alert };
    Ok(Page::new(page).status(status).into_response())
}

/// The picture that apps scan: shapes only, so that it needs no style and no script.
fn qr(app: &App, secrets: &FactorSecrets, email: &str) -> Result<String, Refusal> {
    let (_, issuer) = app.public_url.split_once("://").unwrap_or(("", "everkey"));
    let uri = secrets.to_uri(issuer, email);
    let code =
        QrCode::new(uri.expose().as_bytes()).map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let (dark, light) = (svg::Color("#000"), svg::Color("#fff"));
    let image = code.render().min_dimensions(220, 220).dark_color(dark).light_color(light).build();
    let named = image.replacen("<svg ", "<svg role=\"img\" aria-label=\"QR code of the secret below\" ", 1);
    // HTML has no XML declarations.
    Ok(named.find("<svg").map_or_else(String::new, |at| named[at..].to_owned()))
}

fn in_groups(secrets: &FactorSecrets) -> SecretText {
    let secret = secrets.to_base32();
    let groups: Vec<&str> =
        secret.expose().as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    SecretText::new(groups.join(" "))
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(typed): PageForm<Typed>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    let tell =
        async |status, alert: &str| set_up_page(&app, &signed_in, status, Some(alert.to_owned())).await;
    let Ok(answer @ Answer::Totp(_)) = Answer::parse(&typed.code) else {
        return tell(StatusCode::UNPROCESSABLE_ENTITY, "Type the six digits your app shows.").await;
    };
    match enrol::confirm(&app, &signed_in.session, &answer).await {
        Ok(Confirmed::On(codes)) => Ok(codes_page(&signed_in, true, codes)),
        Ok(Confirmed::Wrong) => {
            let alert = "That code does not belong to this secret. Check the time of your device, \
                         then type the code that your app shows now.";
            tell(StatusCode::UNPROCESSABLE_ENTITY, alert).await
        }
        Err(Refusal::RateLimited { retry_after }) => {
            let alert = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            let mut response = tell(StatusCode::TOO_MANY_REQUESTS, &alert).await?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn codes_page(signed_in: &SignedIn, fresh: bool, codes: Vec<RecoveryCode>) -> Response {
    Page::new(CodesPage { who: Who::at(Section::Security, signed_in), fresh, codes }).into_response()
}

pub(super) async fn renew(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(typed): PageForm<Typed>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    let Ok(answer) = Answer::parse(&typed.code) else {
        return refused(&app, &signed_in, Refusal::Invalid(NOT_AN_ANSWER.to_owned())).await;
    };
    match manage::renew(&app, &signed_in.session, &answer).await {
        Ok(Some(codes)) => Ok(codes_page(&signed_in, false, codes)),
        Ok(None) => refused(&app, &signed_in, Refusal::SecondFactorRejected).await,
        Err(refusal) => refused(&app, &signed_in, refusal).await,
    }
}

pub(super) async fn turn_off(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(typed): PageForm<Typed>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    let Ok(answer) = Answer::parse(&typed.code) else {
        return refused(&app, &signed_in, Refusal::Invalid(NOT_AN_ANSWER.to_owned())).await;
    };
    match manage::turn_off(&app, &signed_in.session, &answer).await {
        Ok(true) => Ok(SeeOther::to(HERE).cookie(cookies::forget(&app, Kind::Remembered)).into_response()),
        Ok(false) => refused(&app, &signed_in, Refusal::SecondFactorRejected).await,
        Err(refusal) => refused(&app, &signed_in, refusal).await,
    }
}

/// The page again, with why it was not done.
async fn refused(app: &App, signed_in: &SignedIn, refusal: Refusal) -> Result<Response, PageError> {
    match refusal {
        Refusal::Invalid(why) => page(app, signed_in, StatusCode::UNPROCESSABLE_ENTITY, Some(why)).await,
        Refusal::SecondFactorRejected => {
            page(app, signed_in, StatusCode::UNPROCESSABLE_ENTITY, Some(WRONG.to_owned())).await
        }
        Refusal::RateLimited { retry_after } => {
            let alert = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            let mut response = page(app, signed_in, StatusCode::TOO_MANY_REQUESTS, Some(alert)).await?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        other => Err(other.into()),
    }
}

pub(super) async fn forget(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(which): PageForm<Which>,
) -> Result<Response, PageError> {
    let id = Uuid::parse_str(&which.id).map_err(|_| PageError::not_found())?;
    if browsers::forget(&app, &signed_in.session, id).await? {
        Ok(SeeOther::to(HERE).into_response())
    } else {
        Err(PageError::not_found())
    }
}
