//! `POST /api/sessions/*`: what can be done with a profile. The answer is the agent's reply as its JSON line says it.

use crate::agent;
use crate::app::App;
use crate::body::Fields;
use crate::problem::{Problem, asked_again};
use axum::Json;
use axum::extract::State;
use everkey_client::Failure;
use everkey_proto::json::ReplyLine;
use everkey_proto::reply::{LoggedOut, Step};
use everkey_proto::request::{Answer, Leave, Login, Logout, ProfileCall, Refresh, UnderWay};
use everkey_proto::{Entry, FlowId, Reply, Secret, SignInMethod};
use serde::Deserialize;

/// What a request may say.
#[derive(Deserialize)]
pub struct Wish {
    profile: Option<String>,
    scheme: Option<SignInMethod>,
    flow: Option<FlowId>,
    join: Option<FlowId>,
    replace: Option<FlowId>,
    text: Option<Secret>,
    email: Option<String>,
    code: Option<Secret>,
    #[serde(default)]
    force: bool,
}

type Response = Result<Json<ReplyLine>, Problem>;

/// Begins a sign-in; with `join` or `replace`, joins the one that is under way or takes its place.
pub async fn login(State(app): State<App>, Fields(wish): Fields<Wish>) -> Response {
    let under_way = wish.join.map(UnderWay::Join).or(wish.replace.map(UnderWay::Replace));
    step(act(&app, wish.profile, Login { scheme: wish.scheme, under_way }).await)
}

/// The next step of a sign-in that waits for the world.
pub async fn wait(State(_): State<App>, Fields(wish): Fields<Wish>) -> Response {
    let flow = wish.flow.ok_or_else(|| Problem::invalid("The request needs the field \"flow\"."))?;
    step(agent::wait(wish.profile, flow).await)
}

/// Answers what a sign-in asks: with `text`, with `email` to send a code to, or with both `email` and `code`.
pub async fn answer(State(app): State<App>, Fields(wish): Fields<Wish>) -> Response {
    let needs = "The request needs the field \"flow\", and \"text\" or \"email\".";
    let flow = wish.flow.ok_or_else(|| Problem::invalid(needs))?;
    let entry = match (wish.text, wish.email, wish.code) {
        (Some(text), None, None) => Entry::Text(text),
        (None, Some(email), None) => Entry::Email(email),
        (None, Some(email), Some(code)) => Entry::Code { email, code },
        _ => return Err(Problem::invalid(needs)),
    };
    step(act(&app, wish.profile, Answer { flow, entry }).await)
}

/// Gives a sign-in up; it goes on for others who have joined it.
pub async fn cancel(State(app): State<App>, Fields(wish): Fields<Wish>) -> Response {
    let flow = wish.flow.ok_or_else(|| Problem::invalid("The request needs the field \"flow\"."))?;
    let revocation = act(&app, wish.profile, Leave { flow }).await?;
    Ok(Json(Reply::LoggedOut { revocation, why: None }.into()))
}

/// Refreshes now.
pub async fn refresh(State(app): State<App>, Fields(wish): Fields<Wish>) -> Response {
    let refreshed = act(&app, wish.profile, Refresh { force: wish.force }).await?;
    Ok(Json(Reply::Refreshed(refreshed).into()))
}

/// Signs out.
pub async fn logout(State(app): State<App>, Fields(wish): Fields<Wish>) -> Response {
    let LoggedOut { revocation, why } = act(&app, wish.profile, Logout).await?;
    Ok(Json(Reply::LoggedOut { revocation, why }.into()))
}

async fn act<C>(app: &App, profile: Option<String>, call: C) -> Result<C::Reply, Failure>
where
    C: ProfileCall<Reply: Send> + Send + 'static,
{
    let answer = agent::act(profile, call).await;
    app.feed().wake();
    answer
}

/// A step as the page takes it: why it is asked again is worded for somebody who has the page before them.
fn step(step: Result<Step, Failure>) -> Response {
    let mut step = step?;
    if let Step::Ask { again, .. } = &mut step {
        *again = again.take().map(asked_again);
    }
    Ok(Json(Reply::Step(step).into()))
}
