//! The pages: what the agent says, made into HTML. Each has a live region, which is also served alone for updates.
//! Deliberately absent: tokens, requests that change anything.

mod access;
mod activity;
mod audit;
mod clock;
#[cfg(test)]
mod preview;
#[cfg(test)]
mod samples;
mod sessions;
mod shell;
mod standing;

use crate::agent::{self, Look};
use crate::app::App;
use access::{Accesses, Filter};
use activity::Activity;
use askama::Template;
use audit::Audit;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use clock::Clock;
use everkey_client::Failure;
use sessions::Sessions;
use shell::{Absence, AgentProblem, Section, Shell};

/// How many hand-outs are looked through for the Access page.
const ACCESSES: u32 = 2000;

/// What the pages load, by name below `/assets/`.
pub(crate) const ASSETS: &[(&str, &[u8])] = &[
    ("style.css", include_bytes!("../../assets/style.css")),
    ("icon.svg", include_bytes!("../../assets/icon.svg")),
    ("app.js", include_bytes!("../../assets/app.js")),
    ("api.js", include_bytes!("../../assets/api.js")),
    ("morph.js", include_bytes!("../../assets/morph.js")),
    ("time.js", include_bytes!("../../assets/time.js")),
    ("stream.js", include_bytes!("../../assets/stream.js")),
    ("agent_flow.js", include_bytes!("../../assets/agent_flow.js")),
    ("sign_in_words.js", include_bytes!("../../assets/sign_in_words.js")),
    ("sign_in.js", include_bytes!("../../assets/sign_in.js")),
    ("audit.js", include_bytes!("../../assets/audit.js")),
];

/// The pages and their fragments. The gate is around them: whoever gets here has the cookie.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(sessions_page))
        .route("/audit", get(audit_page))
        .route("/access", get(access_page))
        .route("/activity", get(activity_page))
        .route("/fragment/sessions", get(sessions_fragment))
        .route("/fragment/audit", get(audit_fragment))
        .route("/fragment/access", get(access_fragment))
        .route("/fragment/activity", get(activity_fragment))
}

async fn sessions_page(State(app): State<App>) -> Response {
    let look = agent::look().await;
    page(&app, Section::Sessions, sessions_region(&look), version(&look))
}

async fn sessions_fragment() -> Response {
    fragment(sessions_region(&agent::look().await))
}

async fn audit_page(State(app): State<App>) -> Response {
    let look = agent::look().await;
    page(&app, Section::Audit, audit_region(&look), version(&look))
}

async fn audit_fragment() -> Response {
    fragment(audit_region(&agent::look().await))
}

async fn access_page(State(app): State<App>, Query(filter): Query<Filter>) -> Response {
    let look = agent::look().await;
    page(&app, Section::Access, access_region(filter).await, version(&look))
}

async fn access_fragment(Query(filter): Query<Filter>) -> Response {
    fragment(access_region(filter).await)
}

async fn activity_page(State(app): State<App>) -> Response {
    let look = agent::look().await;
    page(&app, Section::Activity, activity_region(&app, &look), version(&look))
}

async fn activity_fragment(State(app): State<App>) -> Response {
    fragment(activity_region(&app, &agent::look().await))
}

fn sessions_region(look: &Result<Look, Failure>) -> askama::Result<String> {
    match look {
        Ok(look) => Sessions::new(look, &Clock::system()).render(),
        Err(failure) => AgentProblem::new(failure).render(),
    }
}

fn audit_region(look: &Result<Look, Failure>) -> askama::Result<String> {
    match look {
        Ok(look) => Audit::new(look, &Clock::system()).render(),
        Err(failure) => AgentProblem::new(failure).render(),
    }
}

async fn access_region(filter: Filter) -> askama::Result<String> {
    match agent::accesses(ACCESSES).await {
        Ok(page) => Accesses::new(&page.accesses, filter, &Clock::system())
            .of(page.accesses.len(), page.total)
            .render(),
        Err(failure) => AgentProblem::new(&failure).render(),
    }
}

fn activity_region(app: &App, look: &Result<Look, Failure>) -> askama::Result<String> {
    match look {
        Ok(_) => Activity::new(&app.feed().recent(), &Clock::system()).render(),
        Err(failure) => AgentProblem::new(failure).render(),
    }
}

fn version(look: &Result<Look, Failure>) -> Result<String, Absence> {
    look.as_ref().map(|look| look.agent.version.clone()).map_err(Absence::of)
}

fn page(
    app: &App,
    here: Section,
    region: askama::Result<String>,
    agent: Result<String, Absence>,
) -> Response {
    let proof_key = app.proof_key().clone();
    fragment(region.and_then(|region| Shell::new(here, region, agent, proof_key).render()))
}

fn fragment(html: askama::Result<String>) -> Response {
    match html {
        Ok(html) => Html(html).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be made.").into_response(),
    }
}
