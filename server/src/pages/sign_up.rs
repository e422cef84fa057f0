//! `/dashboard/sign-up`: who may have an account, for platform admins. For anybody else there is no such page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::actions::accounts::sign_up::{self, SignUpChange};
use crate::app::AppState;
use crate::db::retry;
use crate::pages::error::PageError;
use crate::pages::form::PageForm;
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::navigation::{NavigationSection, Who};
use crate::pages::signed_in::{SignedInBrowser, sign_in_again_path};
use crate::rules::local_path::LocalPath;
use crate::rules::second_factor::recent;
use crate::rules::sign_up::{SignUpEntry, SignUpMode};

const HERE: &str = "/dashboard/sign-up";

const NOT_AN_ENTRY: &str = "Write an address such as ada@example.com, or a domain such as example.com.";

#[derive(Template)]
#[template(path = "sign_up.html")]
struct SignUpPage {
    who: Who,
    modes: Vec<ModeChoice>,
    list: Vec<String>,
    alert: Option<String>,
}

/// One of the modes, as the page words it.
struct ModeChoice {
    word: &'static str,
    label: &'static str,
    is_chosen: bool,
}

impl ModeChoice {
    fn of(mode: SignUpMode, chosen: SignUpMode) -> Self {
        let label = match mode {
            SignUpMode::Open => "Everybody",
            SignUpMode::Invited => "Who is on the list, or is invited into a workspace",
            SignUpMode::Listed => "Who is on the list",
            SignUpMode::Closed => "Nobody",
        };
        Self { word: mode.as_str(), label, is_chosen: mode == chosen }
    }
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
) -> Result<Response, PageError> {
    only_admins(&signed_in)?;
    page(&app, &signed_in, None).await
}

async fn page(
    app: &AppState,
    signed_in: &SignedInBrowser,
    alert: Option<String>,
) -> Result<Response, PageError> {
    let settings = sign_up::settings(&app.store).await?;
    let chosen = settings.mode.unwrap_or(app.sign_up);
    let status = if alert.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SignUpPage {
        who: Who::at(NavigationSection::SignUp, signed_in),
        modes: SignUpMode::ALL.into_iter().map(|mode| ModeChoice::of(mode, chosen)).collect(),
        list: settings.list.iter().map(|entry| entry.as_str().to_owned()).collect(),
        alert,
    };
    Ok(HtmlPage::new(page).status(status).into_response())
}

fn only_admins(signed_in: &SignedInBrowser) -> Result<(), PageError> {
    if sign_up::may_change(&signed_in.session) { Ok(()) } else { Err(PageError::not_found()) }
}

/// One of the page's three forms.
#[derive(Deserialize)]
pub(super) struct ChangeForm {
    mode: Option<String>,
    allow: Option<String>,
    forbid: Option<String>,
}

impl ChangeForm {
    fn read(&self) -> Result<SignUpChange, String> {
        let entry = |text: &str| SignUpEntry::parse(text).map_err(|_| NOT_AN_ENTRY.to_owned());
        match (&self.mode, &self.allow, &self.forbid) {
            (Some(mode), None, None) => {
                mode.parse().map(SignUpChange::Mode).map_err(|_| "Choose one of the four.".to_owned())
            }
            (None, Some(text), None) => Ok(SignUpChange::Allow(vec![entry(text)?])),
            (None, None, Some(text)) => Ok(SignUpChange::Forbid(vec![entry(text)?])),
            _ => Err("Send one form at a time.".to_owned()),
        }
    }
}

pub(super) async fn change(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(form): PageForm<ChangeForm>,
) -> Result<Response, PageError> {
    only_admins(&signed_in)?;
    if !recent(signed_in.proved_at, app.limits.fresh_sign_in, app.now()) {
        let here = LocalPath::parse(HERE).unwrap_or_else(LocalPath::home);
        return Ok(SeeOther::to(sign_in_again_path(&here)).into_response());
    }
    match form.read() {
        Ok(change) => {
            retry(|| sign_up::change(&app.store, &change, Some(&signed_in.session), app.now())).await?;
            Ok(SeeOther::to(HERE).into_response())
        }
        Err(alert) => page(&app, &signed_in, Some(alert)).await,
    }
}
