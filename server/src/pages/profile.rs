//! `/dashboard/profile`: how a user is called, and where the achilles CLI acts for them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::actions::accounts::profile::{
    LONGEST_DISPLAY_NAME, Organisations, change, display_name, organisations,
};
use crate::app::AppState;
use crate::pages::error::PageError;
use crate::pages::form::{PageForm, PageQuery};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::navigation::{NavigationSection, Who};
use crate::pages::signed_in::SignedInBrowser;

const PATH: &str = "/dashboard/profile";

#[derive(Template)]
#[template(path = "profile.html")]
pub(super) struct ProfilePage {
    who: Who,
    notice: Option<&'static str>,
    alert: Option<String>,
    name: String,
    organisations: Organisations,
}

impl ProfilePage {
    fn is_chosen(&self, workspace: &str) -> bool {
        self.organisations.chosen.as_deref() == Some(workspace)
    }
}

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct ProfileQuery {
    saved: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageQuery(done): PageQuery<ProfileQuery>,
) -> Result<HtmlPage<ProfilePage>, PageError> {
    let user = &signed_in.session.user;
    Ok(HtmlPage::new(ProfilePage {
        who: Who::at(NavigationSection::Profile, &signed_in),
        notice: done.saved.map(|_| "Your profile was saved."),
        alert: None,
        name: user.name.clone(),
        organisations: organisations(&app, user).await?,
    }))
}

/// What the form holds. Somebody in no or one workspace is not asked for the organisation.
#[derive(Deserialize)]
pub(super) struct ProfileForm {
    name: String,
    #[serde(default)]
    organisation: String,
}

pub(super) async fn save(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(form): PageForm<ProfileForm>,
) -> Result<Result<SeeOther, HtmlPage<ProfilePage>>, PageError> {
    let user = &signed_in.session.user;
    let organisation = Some(form.organisation.as_str()).filter(|id| !id.is_empty());
    let alert = match display_name(&form.name) {
        Ok(name) if change(&app, &signed_in.session, &name, organisation).await? => {
            return Ok(Ok(SeeOther::to(format!("{PATH}?saved=1"))));
        }
        Ok(_) => "You are no longer in that organisation. Choose another one.".to_owned(),
        Err(_) => format!("A name has at most {LONGEST_DISPLAY_NAME} characters on one line."),
    };
    let page = ProfilePage {
        who: Who::at(NavigationSection::Profile, &signed_in),
        notice: None,
        alert: Some(alert),
        name: form.name,
        organisations: organisations(&app, user).await?,
    };
    Ok(Err(HtmlPage::new(page).status(StatusCode::UNPROCESSABLE_ENTITY)))
}
