//! `/signin`, `/signin/code`, `/signin/resend` and `/signout`: an email address, then the code that was sent there.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::actions::browser::end;
use crate::actions::server_error::ServerError;
use crate::actions::sign_in::browser::{self as actions, BrowserCookies, SignInStep};
use crate::actions::sign_in::error::SignInError;
use crate::app::AppState;
use crate::http::client::{ClientAddress, RequestCaller};
use crate::pages::cookies::{self, CookieKind};
use crate::pages::error::{PageError, set_retry_after, wait};
use crate::pages::form::{EmptyForm, PageForm, PageQuery, SignInForm};
use crate::pages::handover::{GivenCookie, hand_over};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::signed_in::SignedInBrowser;
use crate::rules::email::Email;
use crate::rules::local_path::LocalPath;
use crate::rules::second_factor::REMEMBERED;
use crate::secret::SecretText;
use crate::tokens::browser::{BrowserSecret, FormToken};
use crate::tokens::code::LoginCode;

/// Where the code is typed.
const CODE: &str = "/signin/code";
/// Where a second factor is asked for.
const SECOND: &str = "/signin/second";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct AddressPage {
    form_token: FormToken,
    next: LocalPath,
    email: String,
    alert: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage {
    form_token: FormToken,
    email: String,
    minutes: u64,
    sent_again: bool,
    alert: Option<String>,
}

/// The query of `/signin`.
#[derive(Deserialize)]
pub(super) struct SignInQuery {
    next: Option<String>,
    again: Option<String>,
}

impl SignInQuery {
    /// Where to go on: what was asked for if it is a path of this server, else the dashboard.
    fn next(next: Option<&str>) -> LocalPath {
        next.and_then(LocalPath::parse).unwrap_or_else(LocalPath::home)
    }
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    PageQuery(asked): PageQuery<SignInQuery>,
    signed_in: Option<SignedInBrowser>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let next = SignInQuery::next(asked.next.as_deref());
    let email = match signed_in {
        Some(_) if asked.again.is_none() => return Ok(SeeOther::to(next.as_str()).into_response()),
        Some(signed_in) => signed_in.session.user.email,
        None => String::new(),
    };
    // Two tabs share one cookie, so that the form in each of them works.
    let (cookie, set) = match cookies::read(&app, &headers, CookieKind::SignIn) {
        Some(cookie) => (cookie, None),
        None => {
            let cookie = BrowserSecret::random().map_err(ServerError::from)?;
            let set = cookies::set(&app, CookieKind::SignIn, &cookie, None);
            (cookie, Some(set))
        }
    };
    let page = AddressPage { form_token: cookie.form_token(), next, email, alert: None };
    Ok(with(HtmlPage::new(page), set).into_response())
}

fn with<T: Template>(page: HtmlPage<T>, cookie: Option<HeaderValue>) -> HtmlPage<T> {
    match cookie {
        Some(cookie) => page.cookie(cookie),
        None => page,
    }
}

#[derive(Deserialize)]
pub(super) struct AddressForm {
    email: String,
    next: Option<String>,
}

pub(super) async fn ask(
    State(app): State<Arc<AppState>>,
    ClientAddress(client): ClientAddress,
    SignInForm { cookie, form }: SignInForm<AddressForm>,
) -> Result<Response, PageError> {
    let next = SignInQuery::next(form.next.as_deref());
    let again = |status, email: String, alert: String, next: LocalPath| {
        let page = AddressPage { form_token: cookie.form_token(), next, email, alert: Some(alert) };
        Ok(HtmlPage::new(page).status(status).into_response())
    };
    let Ok(email) = Email::parse(&form.email) else {
        let alert = "That is not an email address. Write it like name@example.com.".to_owned();
        return again(StatusCode::UNPROCESSABLE_ENTITY, form.email, alert, next);
    };
    match actions::ask(&app, &email, &next, client).await {
        Ok(fresh) => {
            let set = cookies::set(&app, CookieKind::SignIn, &fresh, None);
            Ok(SeeOther::to(CODE).cookie(set).into_response())
        }
        Err(SignInError::RateLimited { retry_after }) => {
            let alert = format!("That was too often. Wait {}, then try again.", wait(retry_after));
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, form.email, alert, next)?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// The query of `/signin/code`.
#[derive(Deserialize)]
pub(super) struct CodeQuery {
    sent: Option<String>,
}

pub(super) async fn show_code(
    State(app): State<Arc<AppState>>,
    PageQuery(sent): PageQuery<CodeQuery>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let Some(cookie) = cookies::read(&app, &headers, CookieKind::SignIn) else {
        return Ok(SeeOther::to("/signin").into_response());
    };
    code_page(&app, &cookie, StatusCode::OK, sent.sent.is_some(), None).await
}

async fn code_page(
    app: &AppState,
    cookie: &BrowserSecret,
    status: StatusCode,
    sent_again: bool,
    alert: Option<String>,
) -> Result<Response, PageError> {
    let Some(sign_in) = actions::under_way(app, cookie).await? else {
        return Ok(SeeOther::to("/signin").into_response());
    };
    let page = CodePage {
        form_token: cookie.form_token(),
        email: sign_in.email.as_str().to_owned(),
        minutes: app.limits.code_ttl.as_secs().div_ceil(60),
        sent_again,
        alert,
    };
    Ok(HtmlPage::new(page).status(status).into_response())
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    code: SecretText,
}

pub(super) async fn prove(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    headers: HeaderMap,
    SignInForm { cookie, form }: SignInForm<CodeForm>,
) -> Result<Response, PageError> {
    let tell = async |status, alert: String| code_page(&app, &cookie, status, false, Some(alert)).await;
    let Ok(code) = LoginCode::parse(&without_spaces(&form.code)) else {
        let alert = "A code has six digits, or sixteen. Look for it in the mail we sent you.".to_owned();
        return tell(StatusCode::UNPROCESSABLE_ENTITY, alert).await;
    };
    let session = cookies::read(&app, &headers, CookieKind::Session);
    let remembered = cookies::read(&app, &headers, CookieKind::Remembered);
    let browser = BrowserCookies {
        sign_in: &cookie,
        session: session.as_ref(),
        remembered: remembered.as_ref(),
        caller: &caller,
    };
    match actions::prove_code(&app, browser, &code).await {
        Ok(step) => Ok(go_on(&app, &headers, &step)?.into_response()),
        Err(SignInError::CodeRejected) => {
            let alert = "That code is wrong or no longer works. Check it, or ask for a new one.".to_owned();
            tell(StatusCode::UNPROCESSABLE_ENTITY, alert).await
        }
        Err(SignInError::RateLimited { retry_after }) => {
            let alert = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            let mut response = tell(StatusCode::TOO_MANY_REQUESTS, alert).await?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(SignInError::NotUnderWay) => Err(lapsed()),
        Err(error) => Err(error.into()),
    }
}

/// Where a step of the sign-in leads, with the cookies that go with it.
pub fn go_on(app: &AppState, headers: &HeaderMap, step: &SignInStep) -> Result<SeeOther, ServerError> {
    match step {
        SignInStep::Done { session, next, remembered } => {
            let mut given = vec![
                GivenCookie::set(CookieKind::Session, session, Some(app.limits.web_longest)),
                GivenCookie::forgotten(CookieKind::SignIn),
            ];
            let remembered = remembered.as_ref();
            given.extend(
                remembered.map(|cookie| GivenCookie::set(CookieKind::Remembered, cookie, Some(REMEMBERED))),
            );
            hand_over(app, headers, next.as_str(), given)
        }
        SignInStep::SecondFactor { sign_in } => {
            hand_over(app, headers, SECOND, vec![GivenCookie::set(CookieKind::SignIn, sign_in, None)])
        }
    }
}

/// The page for a sign-in that took too long.
pub fn lapsed() -> PageError {
    PageError::new(
        StatusCode::FORBIDDEN,
        "This sign-in has ended",
        "It took too long, or it was finished in another window. Begin again.",
    )
    .with_link("/signin", "Sign in")
}

/// People copy codes as `123 456`.
fn without_spaces(code: &SecretText) -> SecretText {
    SecretText::new(code.expose().chars().filter(|c| !c.is_ascii_whitespace()).collect())
}

pub(super) async fn ask_again(
    State(app): State<Arc<AppState>>,
    ClientAddress(client): ClientAddress,
    SignInForm { cookie, form: EmptyForm {} }: SignInForm<EmptyForm>,
) -> Result<Response, PageError> {
    match actions::ask_again(&app, &cookie, client).await {
        Ok(_) => Ok(SeeOther::to("/signin/code?sent=again").into_response()),
        Err(SignInError::RateLimited { retry_after }) => {
            let alert = format!("Wait {} before you ask for another code.", wait(retry_after));
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = code_page(&app, &cookie, status, false, Some(alert)).await?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(SignInError::NotUnderWay) => Err(lapsed()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn sign_out(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
    PageForm(EmptyForm {}): PageForm<EmptyForm>,
) -> Result<SeeOther, PageError> {
    if let Some(cookie) = cookies::read(&app, &headers, CookieKind::Session) {
        end::sign_out(&app, &cookie).await?;
    }
    Ok(SeeOther::to("/signin").cookie(cookies::forget(&app, CookieKind::Session)))
}
