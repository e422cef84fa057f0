//! `POST /api/agent/start`.

use crate::agent;
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use everkey_proto::Reply;
use everkey_proto::json::ReplyLine;

/// Starts the agent if none runs; says what it is.
pub async fn start(State(app): State<App>) -> Result<Json<ReplyLine>, Problem> {
    let info = agent::start().await?;
    app.feed().wake();
    Ok(Json(Reply::Agent(info).into()))
}
