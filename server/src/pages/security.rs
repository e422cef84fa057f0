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

use crate::actions::second_factor::browsers;
use crate::actions::second_factor::enrol::{self, Confirmation};
use crate::actions::second_factor::error::SecondFactorError;
use crate::actions::second_factor::manage::{self, FactorOverview};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::second_factor::RememberedBrowser;
use crate::pages::cookies::{self, CookieKind};
use crate::pages::display_time::DisplayTime;
use crate::pages::error::{PageError, set_retry_after, wait};
use crate::pages::form::{EmptyForm, PageForm, PageQuery};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::navigation::{NavigationSection, Who};
use crate::pages::signed_in::{SignedInBrowser, sign_in_again_path};
use crate::rules::local_path::LocalPath;
use crate::rules::program;
use crate::rules::second_factor::recent;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::totp::{FactorSecrets, RecoveryCode, SecondFactorAnswer};

const HERE: &str = "/dashboard/security";
const OFF: &str = "/dashboard/security?done=off";
const FORGOTTEN: &str = "/dashboard/security?done=forgotten";
const SET_UP: &str = "/dashboard/security/setup";

const NOT_AN_ANSWER: &str = "Type the six digits your app shows, or one of your recovery codes.";
const WRONG: &str = "That code is wrong, or was used before. Wait for the next one your app shows.";

#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage {
    who: Who,
    factor: Option<Factor>,
    notice: Option<&'static str>,
    recent: bool,
    sign_in_again: String,
    alert: Option<Alert>,
}

/// Why it was not done, at the form it belongs to.
struct Alert {
    at: Change,
    text: String,
}

/// What a form of the page changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Off,
    Codes,
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

#[derive(Deserialize)]
pub(super) struct FactorCodeForm {
    code: SecretText,
}

#[derive(Deserialize)]
pub(super) struct Which {
    id: String,
}

/// A second factor as the page shows it.
struct Factor {
    since: DisplayTime,
    codes_left: i64,
    browsers: Vec<Row>,
}

/// A remembered browser as the page shows it.
struct Row {
    id: String,
    title: String,
    program: String,
    used: DisplayTime,
    lapses: DisplayTime,
}

impl SecurityPage {
    /// What is wrong with this form.
    fn alert_at(&self, change: Change) -> Option<&str> {
        self.alert.as_ref().filter(|alert| alert.at == change).map(|alert| alert.text.as_str())
    }
}

impl Factor {
    fn of(overview: FactorOverview, now: Timestamp) -> Self {
        let row = |browser: RememberedBrowser| Row {
            id: browser.id,
            title: program::describe(&browser.program).unwrap_or_else(|| "A browser".to_owned()),
            program: browser.program,
            used: DisplayTime::new(browser.last_used_at, now),
            lapses: DisplayTime::new(browser.expires_at, now),
        };
        Self {
            since: DisplayTime::new(overview.since, now),
            codes_left: overview.codes_left,
            browsers: overview.browsers.into_iter().map(row).collect(),
        }
    }
}

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct SecurityQuery {
    done: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageQuery(done): PageQuery<SecurityQuery>,
) -> Result<Response, PageError> {
    let notice = match done.done.as_deref() {
        Some("off") => Some("The second factor is off. Signing in takes an email code only."),
        Some("forgotten") => Some("That browser has to show the second factor again."),
        Some(_) | None => None,
    };
    Ok(HtmlPage::new(overview(&app, &signed_in, notice, None).await?).into_response())
}

async fn overview(
    app: &AppState,
    signed_in: &SignedInBrowser,
    notice: Option<&'static str>,
    alert: Option<Alert>,
) -> Result<SecurityPage, PageError> {
    let factor = manage::overview(app, &signed_in.session).await?;
    let now = app.now();
    Ok(SecurityPage {
        who: Who::at(NavigationSection::Security, signed_in),
        factor: factor.map(|factor| Factor::of(factor, now)),
        notice,
        recent: recent(signed_in.proved_at, app.limits.fresh_sign_in, now),
        sign_in_again: again_path(),
        alert,
    })
}

fn again_path() -> String {
    sign_in_again_path(&LocalPath::parse(HERE).unwrap_or_else(LocalPath::home))
}

/// The way to a fresh sign-in, for whoever's is not recent.
fn stale(app: &AppState, signed_in: &SignedInBrowser) -> Option<Response> {
    let stale = !recent(signed_in.proved_at, app.limits.fresh_sign_in, app.now());
    stale.then(|| SeeOther::to(again_path()).into_response())
}

pub(super) async fn begin(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(EmptyForm {}): PageForm<EmptyForm>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    enrol::begin(&app, &signed_in.session).await?;
    Ok(SeeOther::to(SET_UP).into_response())
}

pub(super) async fn set_up(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    set_up_page(&app, &signed_in, StatusCode::OK, None).await
}

async fn set_up_page(
    app: &AppState,
    signed_in: &SignedInBrowser,
    status: StatusCode,
    alert: Option<String>,
) -> Result<Response, PageError> {
    let Some(secrets) = enrol::waiting(app, &signed_in.session).await? else {
        return Ok(SeeOther::to(HERE).into_response());
    };
    let who = Who::at(NavigationSection::Security, signed_in);
    let page = SetUpPage { qr: qr(app, &secrets, &who.email)?, secret: in_groups(&secrets), who, alert };
    Ok(HtmlPage::new(page).status(status).into_response())
}

/// The picture that apps scan: shapes only, so that it needs no style and no script.
fn qr(app: &AppState, secrets: &FactorSecrets, email: &str) -> Result<String, ServerError> {
    let (_, issuer) = app.public_url.split_once("://").unwrap_or(("", "everkey"));
    let uri = secrets.to_uri(issuer, email);
    let code =
        QrCode::new(uri.expose().as_bytes()).map_err(|error| ServerError::Unavailable(error.to_string()))?;
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
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(typed): PageForm<FactorCodeForm>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    let tell =
        async |status, alert: &str| set_up_page(&app, &signed_in, status, Some(alert.to_owned())).await;
    let Ok(answer @ SecondFactorAnswer::Totp(_)) = SecondFactorAnswer::parse(&typed.code) else {
        return tell(StatusCode::UNPROCESSABLE_ENTITY, "Type the six digits your app shows.").await;
    };
    match enrol::confirm(&app, &signed_in.session, &answer, &signed_in.caller).await {
        Ok(Confirmation::On(codes)) => Ok(codes_page(&signed_in, true, codes)),
        Ok(Confirmation::Wrong) => {
            let alert = "That code does not belong to this secret. Check the time of your device, \
                         then type the code that your app shows now.";
            tell(StatusCode::UNPROCESSABLE_ENTITY, alert).await
        }
        Err(SecondFactorError::RateLimited { retry_after }) => {
            let alert = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            let mut response = tell(StatusCode::TOO_MANY_REQUESTS, &alert).await?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

fn codes_page(signed_in: &SignedInBrowser, fresh: bool, codes: Vec<RecoveryCode>) -> Response {
    HtmlPage::new(CodesPage { who: Who::at(NavigationSection::Security, signed_in), fresh, codes })
        .into_response()
}

pub(super) async fn renew(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(typed): PageForm<FactorCodeForm>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    let Ok(answer) = SecondFactorAnswer::parse(&typed.code) else {
        return refused(&app, &signed_in, Change::Codes, NotChanged::Unreadable).await;
    };
    match manage::renew(&app, &signed_in.session, &answer, &signed_in.caller).await {
        Ok(Some(codes)) => Ok(codes_page(&signed_in, false, codes)),
        Ok(None) => refused(&app, &signed_in, Change::Codes, NotChanged::Wrong).await,
        Err(error) => refused(&app, &signed_in, Change::Codes, NotChanged::Failed(error)).await,
    }
}

pub(super) async fn turn_off(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(typed): PageForm<FactorCodeForm>,
) -> Result<Response, PageError> {
    if let Some(response) = stale(&app, &signed_in) {
        return Ok(response);
    }
    let Ok(answer) = SecondFactorAnswer::parse(&typed.code) else {
        return refused(&app, &signed_in, Change::Off, NotChanged::Unreadable).await;
    };
    match manage::turn_off(&app, &signed_in.session, &answer, &signed_in.caller).await {
        Ok(true) => {
            let off = SeeOther::to(OFF).cookie(cookies::forget(&app, CookieKind::Remembered));
            Ok(off.into_response())
        }
        Ok(false) => refused(&app, &signed_in, Change::Off, NotChanged::Wrong).await,
        Err(error) => refused(&app, &signed_in, Change::Off, NotChanged::Failed(error)).await,
    }
}

/// Why a form of the page changed nothing.
enum NotChanged {
    /// What was typed is no answer.
    Unreadable,
    Wrong,
    Failed(SecondFactorError),
}

/// The page again, with why it was not done.
async fn refused(
    app: &AppState,
    signed_in: &SignedInBrowser,
    at: Change,
    why: NotChanged,
) -> Result<Response, PageError> {
    let (status, text, retry_after) = match why {
        NotChanged::Unreadable => (StatusCode::UNPROCESSABLE_ENTITY, NOT_AN_ANSWER.to_owned(), None),
        NotChanged::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, WRONG.to_owned(), None),
        NotChanged::Failed(SecondFactorError::RateLimited { retry_after }) => {
            let text = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            (StatusCode::TOO_MANY_REQUESTS, text, Some(retry_after))
        }
        NotChanged::Failed(error) => return Err(error.into()),
    };
    let page = overview(app, signed_in, None, Some(Alert { at, text })).await?;
    let mut response = HtmlPage::new(page).status(status).into_response();
    if let Some(span) = retry_after {
        set_retry_after(&mut response, span);
    }
    Ok(response)
}

pub(super) async fn forget(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(which): PageForm<Which>,
) -> Result<Response, PageError> {
    let id = Uuid::parse_str(&which.id).map_err(|_| PageError::not_found())?;
    if browsers::forget(&app, &signed_in.session, id).await? {
        Ok(SeeOther::to(FORGOTTEN).into_response())
    } else {
        Err(PageError::not_found())
    }
}
