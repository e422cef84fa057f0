//! `POST /api/agent/start`.

use crate::agent;
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use everkey_proto::json::ReplyLine;
use everkey_proto::{Reply, Verb};

/// Starts the agent if none runs; says what it is.
pub async fn start(State(app): State<App>) -> Result<Json<ReplyLine>, Problem> {
    match agent::act(None, Verb::Agent).await? {
        reply @ Reply::Agent(_) => {
            app.feed().wake();
            Ok(Json(reply.into()))
        }
        _ => Err(everkey_client::unexpected_reply().into()),
    }
}
