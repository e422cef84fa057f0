//! `/signin/second`: the second factor of a sign-in whose email code was right.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::actions::sign_in::browser::{self as actions, BrowserCookies};
use crate::actions::sign_in::error::SignInError;
use crate::app::AppState;
use crate::http::client::RequestCaller;
use crate::pages::cookies::{self, CookieKind};
use crate::pages::error::{PageError, set_retry_after, wait};
use crate::pages::form::SignInForm;
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::sign_in::{go_on, lapsed};
use crate::secret::SecretText;
use crate::tokens::browser::FormToken;
use crate::tokens::totp::SecondFactorAnswer;

#[derive(Template)]
#[template(path = "sign_in_second.html")]
struct SecondPage {
    form_token: FormToken,
    email: String,
    alert: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let Some(cookie) = cookies::read(&app, &headers, CookieKind::SignIn) else {
        return Ok(SeeOther::to("/signin").into_response());
    };
    let Some(sign_in) = actions::half_way(&app, &cookie).await? else {
        return Ok(SeeOther::to("/signin").into_response());
    };
    let email = sign_in.email.as_str().to_owned();
    Ok(HtmlPage::new(SecondPage { form_token: cookie.form_token(), email, alert: None }).into_response())
}

#[derive(Deserialize)]
pub(super) struct Second {
    code: SecretText,
    remember: Option<String>,
}

pub(super) async fn prove(
    State(app): State<Arc<AppState>>,
    RequestCaller(caller): RequestCaller,
    headers: HeaderMap,
    SignInForm { cookie, form }: SignInForm<Second>,
) -> Result<Response, PageError> {
    let tell = async |status, alert: &str| -> Result<Response, PageError> {
        let sign_in = actions::half_way(&app, &cookie).await?.ok_or_else(lapsed)?;
        let (email, alert) = (sign_in.email.as_str().to_owned(), Some(alert.to_owned()));
        let page = SecondPage { form_token: cookie.form_token(), email, alert };
        Ok(HtmlPage::new(page).status(status).into_response())
    };
    let Ok(answer) = SecondFactorAnswer::parse(&form.code) else {
        let alert = "Type the six digits your app shows, or one of your recovery codes.";
        return tell(StatusCode::UNPROCESSABLE_ENTITY, alert).await;
    };
    let session = cookies::read(&app, &headers, CookieKind::Session);
    let browser =
        BrowserCookies { sign_in: &cookie, session: session.as_ref(), remembered: None, caller: &caller };
    match actions::prove_second(&app, browser, &answer, form.remember.is_some()).await {
        Ok(step) => Ok(go_on(&app, &headers, &step)?.into_response()),
        Err(SignInError::SecondFactorRejected) => {
            let alert = "That code is wrong, or was used before. Wait for the next one your app shows.";
            tell(StatusCode::UNPROCESSABLE_ENTITY, alert).await
        }
        Err(SignInError::RateLimited { retry_after }) => {
            let alert = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            let mut response = tell(StatusCode::TOO_MANY_REQUESTS, &alert).await?;
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(SignInError::NotUnderWay) => Err(lapsed()),
        Err(error) => Err(error.into()),
    }
}
