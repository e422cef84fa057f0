//! `POST /api/sessions/*`: what can be done with a profile. The answer is the agent's reply as its JSON line says it.

use crate::agent;
use crate::app::App;
use crate::body::Fields;
use crate::problem::{Problem, asked_again};
use axum::Json;
use axum::extract::State;
use everkey_client::Failure;
use everkey_proto::json::ReplyLine;
use everkey_proto::reply::Step;
use everkey_proto::{FlowId, Reply, Scheme, Secret, Verb};
use serde::Deserialize;

/// What a request may say.
#[derive(Deserialize)]
pub struct Wish {
    profile: Option<String>,
    scheme: Option<Scheme>,
    flow: Option<FlowId>,
    text: Option<Secret>,
    #[serde(default)]
    force: bool,
}

type Answer = Result<Json<ReplyLine>, Problem>;

/// Begins a sign-in, or joins the one under way.
pub async fn login(State(app): State<App>, Fields(wish): Fields<Wish>) -> Answer {
    act(&app, wish.profile, Verb::Login { scheme: wish.scheme }).await
}

/// The next step of a sign-in that waits for the world.
pub async fn wait(State(_): State<App>, Fields(wish): Fields<Wish>) -> Answer {
    let flow = wish.flow.ok_or_else(|| Problem::invalid("The request needs the field \"flow\"."))?;
    passed_on(agent::wait(wish.profile, flow).await)
}

/// Answers what a sign-in asks.
pub async fn answer(State(app): State<App>, Fields(wish): Fields<Wish>) -> Answer {
    let (Some(flow), Some(text)) = (wish.flow, wish.text) else {
        return Err(Problem::invalid("The request needs the fields \"flow\" and \"text\"."));
    };
    act(&app, wish.profile, Verb::Answer { flow, text }).await
}

/// Gives a sign-in up.
pub async fn cancel(State(app): State<App>, Fields(wish): Fields<Wish>) -> Answer {
    let flow = wish.flow.ok_or_else(|| Problem::invalid("The request needs the field \"flow\"."))?;
    act(&app, wish.profile, Verb::Cancel { flow }).await
}

/// Refreshes now.
pub async fn refresh(State(app): State<App>, Fields(wish): Fields<Wish>) -> Answer {
    act(&app, wish.profile, Verb::Refresh { force: wish.force }).await
}

/// Signs out.
pub async fn logout(State(app): State<App>, Fields(wish): Fields<Wish>) -> Answer {
    act(&app, wish.profile, Verb::Logout).await
}

async fn act(app: &App, profile: Option<String>, verb: Verb) -> Answer {
    let answer = passed_on(agent::act(profile, verb).await);
    app.feed().wake();
    answer
}

/// Only these replies leave this program; those that could hold a token are none of them.
fn passed_on(reply: Result<Reply, Failure>) -> Answer {
    match reply? {
        Reply::Step(Step::Ask { flow, field, tries, again: Some(failure), sent }) => {
            let again = Some(asked_again(failure));
            Ok(Json(Reply::Step(Step::Ask { flow, field, tries, again, sent }).into()))
        }
        reply @ (Reply::Step(_) | Reply::Refreshed { .. } | Reply::LoggedOut(_)) => Ok(Json(reply.into())),
        Reply::Failed(failure) => Err(failure.into()),
        Reply::Token(_)
        | Reply::Whoami(_)
        | Reply::Status(_)
        | Reply::Agent(_)
        | Reply::Stopping
        | Reply::Inspected(_)
        | Reply::Reminder(_)
        | Reply::Following
        | Reply::Event(_)
        | Reply::Accesses(_) => Err(everkey_client::unexpected_reply().into()),
    }
}
