//! `/dashboard/sessions`: every signed-in device of mine, and ways to end them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{PageForm, PageQuery};
use super::layout::{Page, SeeOther};
use super::navigation::{Section, Who};
use super::signed_in::SignedIn;
use super::times::When;
use crate::actions::browser::list::{Listed, list};
use crate::actions::browser::{end, session};
use crate::app::App;
use crate::rules::grant::{Grant, How};
use crate::rules::program;
use crate::time::Moment;

#[derive(Template)]
#[template(path = "sessions.html")]
pub(super) struct SessionsPage {
    who: Who,
    notice: Option<&'static str>,
    mine: Option<Row>,
    others: Vec<Row>,
}

/// A session as the page shows it.
struct Row {
    id: String,
    title: String,
    kind: String,
    program: Option<String>,
    since: When,
    seen: When,
    seen_from: Option<String>,
    began_at: Option<String>,
}

impl Row {
    fn of(Listed { session, client: name }: Listed, now: Moment) -> Self {
        let calls_itself = session.program.as_deref().and_then(program::describe);
        let how = match session.how {
            How::Otp => "signed in with an email code",
            How::Device => "approved with a device code",
            How::Browser => "approved in a browser",
        };
        let (title, kind) = match &session.grant {
            Grant::Web => (calls_itself.unwrap_or_else(|| "A browser".to_owned()), format!("Browser, {how}")),
            Grant::FirstParty => {
                (calls_itself.unwrap_or_else(|| "A program".to_owned()), format!("Command line, {how}"))
            }
            Grant::OAuth { client: _, scope } => {
                let name = if name.is_empty() { "An app without a name".to_owned() } else { name };
                let scope = if scope.is_empty() { String::new() } else { format!(", for {scope}") };
                (name, format!("Connected app, {how}{scope}"))
            }
            Grant::Cli { org, role } => {
                ("achilles".to_owned(), format!("Command line, {how} (organisation {org}, as {role})"))
            }
        };
        let seen = session::last_seen(&session);
        let seen_from = session.last_seen.map(|(_, from)| from);
        Self {
            id: session.id,
            title,
            kind,
            program: session.program.filter(|program| !program.is_empty()),
            since: When::new(session.created_at, now),
            seen: When::new(seen, now),
            began_at: session.address.filter(|at| Some(at) != seen_from.as_ref()),
            seen_from,
        }
    }
}

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct Done {
    ended: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageQuery(done): PageQuery<Done>,
) -> Result<Page<SessionsPage>, PageError> {
    let sessions = list(&app, &signed_in.session.user).await?;
    let now = app.now();
    let (mine, others): (Vec<Listed>, Vec<Listed>) =
        sessions.into_iter().partition(|listed| listed.session.id == signed_in.session.id);
    let notice = match done.ended.as_deref() {
        Some("one") => Some("The session has ended."),
        Some("others") => Some("All other sessions have ended."),
        Some(_) | None => None,
    };
    Ok(Page::new(SessionsPage {
        who: Who::at(Section::Sessions, &signed_in),
        notice,
        mine: mine.into_iter().next().map(|listed| Row::of(listed, now)),
        others: others.into_iter().map(|listed| Row::of(listed, now)).collect(),
    }))
}

/// Which session to end.
#[derive(Deserialize)]
pub(super) struct One {
    session: String,
}

pub(super) async fn end_one(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(one): PageForm<One>,
) -> Result<SeeOther, PageError> {
    let ended = match Uuid::parse_str(&one.session) {
        Ok(id) => end::one(&app, &signed_in.session, &id.to_string()).await?,
        Err(_) => false,
    };
    if ended {
        return Ok(SeeOther::to("/dashboard/sessions?ended=one"));
    }
    let error = PageError::new(
        StatusCode::NOT_FOUND,
        "There is no such session",
        "You have no session of that kind any more. Nothing was changed.",
    );
    Err(error.with_link("/dashboard/sessions", "Back to your sessions"))
}

/// A form with nothing but its token.
#[derive(Deserialize)]
pub(super) struct Others {}

pub(super) async fn end_others(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    PageForm(Others {}): PageForm<Others>,
) -> Result<SeeOther, PageError> {
    end::others(&app, &signed_in.session).await?;
    Ok(SeeOther::to("/dashboard/sessions?ended=others"))
}
