//! `/dashboard/sessions`: every signed-in device of mine, and ways to end them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use crate::actions::browser::list::{ListedSession, SessionList, list};
use crate::actions::browser::{end, session};
use crate::app::AppState;
use crate::db::left_behind::LeftBehind;
use crate::db::personal_tokens::StoredPersonalToken;
use crate::pages::display_time::DisplayTime;
use crate::pages::error::PageError;
use crate::pages::form::{PageForm, PageQuery};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::navigation::{NavigationSection, Who};
use crate::pages::signed_in::SignedInBrowser;
use crate::rules::program;
use crate::rules::session_kind::{ProofMethod, SessionKind};
use crate::time::Timestamp;

#[derive(Template)]
#[template(path = "sessions.html")]
pub(super) struct SessionsPage {
    who: Who,
    notice: Option<&'static str>,
    mine: Option<Row>,
    others: Vec<Row>,
    /// What this session has not made and what still opens something.
    made: Vec<String>,
}

/// A session as the page shows it.
struct Row {
    id: String,
    title: String,
    kind: String,
    program: Option<String>,
    since: DisplayTime,
    seen: DisplayTime,
    seen_from: Option<String>,
    began_at: Option<String>,
    /// What it has made that still opens something.
    made: Vec<String>,
}

impl Row {
    fn of(ListedSession { session, client: name }: ListedSession, all: &Made, now: Timestamp) -> Self {
        let calls_itself = session.program.as_deref().and_then(program::describe);
        let how = match session.how {
            ProofMethod::Otp => "signed in with an email code",
            ProofMethod::Device => "approved with a device code",
            ProofMethod::Browser => "approved in a browser",
        };
        let (title, kind) = match &session.grant {
            SessionKind::Web => {
                (calls_itself.unwrap_or_else(|| "A browser".to_owned()), format!("Browser, {how}"))
            }
            SessionKind::FirstParty => {
                (calls_itself.unwrap_or_else(|| "A program".to_owned()), format!("Command line, {how}"))
            }
            SessionKind::OAuth { client: _, scope } => {
                let name = if name.is_empty() { "An app without a name".to_owned() } else { name };
                let scope = if scope.is_empty() { String::new() } else { format!(", for {scope}") };
                (name, format!("Connected app, {how}{scope}"))
            }
            SessionKind::Cli { org, role } => {
                ("achilles".to_owned(), format!("Command line, {how} (organisation {org}, as {role})"))
            }
        };
        let seen = session::last_seen(&session);
        let seen_from = session.last_seen.map(|(_, from)| from);
        let made = all.by(|maker| maker == Some(&session.id));
        Self {
            made,
            id: session.id,
            title,
            kind,
            program: session.program.filter(|program| !program.is_empty()),
            since: DisplayTime::new(session.created_at, now),
            seen: DisplayTime::new(seen, now),
            began_at: session.address.filter(|at| Some(at) != seen_from.as_ref()),
            seen_from,
        }
    }
}

/// What the user has made that outlives its session.
struct Made {
    tokens: Vec<StoredPersonalToken>,
    left: Vec<(Option<String>, LeftBehind)>,
}

impl Made {
    /// What these sessions have made: names of access tokens, and how many links and invitations.
    fn by(&self, made_by: impl Fn(Option<&str>) -> bool) -> Vec<String> {
        let tokens = self.tokens.iter().filter(|token| made_by(token.session_id.as_deref()));
        let mut made: Vec<String> = tokens.map(|token| token.name.clone()).collect();
        let left = self.left.iter().filter(|(maker, _)| made_by(maker.as_deref()));
        let sum = left.fold(LeftBehind::default(), |sum, (_, left)| LeftBehind {
            shares: sum.shares + left.shares,
            invitations: sum.invitations + left.invitations,
        });
        let kinds = [(sum.shares, "share link"), (sum.invitations, "open invitation")];
        made.extend(kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, kind)| match count {
            1 => format!("1 {kind}"),
            count => format!("{count} {kind}s"),
        }));
        made
    }
}

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct SessionsQuery {
    ended: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageQuery(done): PageQuery<SessionsQuery>,
) -> Result<HtmlPage<SessionsPage>, PageError> {
    let SessionList { sessions, tokens, left } = list(&app, &signed_in.session.user).await?;
    let (now, made) = (app.now(), Made { tokens, left });
    let (mine, others): (Vec<ListedSession>, Vec<ListedSession>) =
        sessions.into_iter().partition(|listed| listed.session.id == signed_in.session.id);
    let notice = match done.ended.as_deref() {
        Some("one") => Some("The session has ended."),
        Some("others") => Some("All other sessions have ended."),
        Some(_) | None => None,
    };
    Ok(HtmlPage::new(SessionsPage {
        who: Who::at(NavigationSection::Sessions, &signed_in),
        notice,
        mine: mine.into_iter().next().map(|listed| Row::of(listed, &made, now)),
        others: others.into_iter().map(|listed| Row::of(listed, &made, now)).collect(),
        made: made.by(|maker| maker != Some(&signed_in.session.id)),
    }))
}

/// Which session to end.
#[derive(Deserialize)]
pub(super) struct One {
    session: String,
    /// There if what it has made is to end, too.
    tokens: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Others {
    /// There if what this session has not made is to end, too.
    tokens: Option<String>,
}

pub(super) async fn end_one(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(one): PageForm<One>,
) -> Result<SeeOther, PageError> {
    let ended = match Uuid::parse_str(&one.session) {
        Ok(id) => end::one(&app, &signed_in.session, &id.to_string(), one.tokens.is_some()).await?,
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

pub(super) async fn end_others(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(others): PageForm<Others>,
) -> Result<SeeOther, PageError> {
    end::others(&app, &signed_in.session, others.tokens.is_some()).await?;
    Ok(SeeOther::to("/dashboard/sessions?ended=others"))
}
