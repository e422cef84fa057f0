//! `GET /events`: what happens, as server-sent events (HTML, section 9.2).

use crate::app::App;
use crate::listen::Hangup;
use crate::problem::Problem;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

/// How often something is sent where nothing happens.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a tab waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// Tells a tab what happens until it goes.
pub async fn follow(State(app): State<App>, Extension(hangup): Extension<Hangup>) -> Response {
    let Some(messages) = app.feed().join(hangup) else {
        let message = "Too many tabs follow what happens.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
            .hint("Close some of them.")
            .into_response();
    };
    let mut first = Some(RETRY);
    let events = ReceiverStream::new(messages).map(move |told| {
        let mut event = Event::default().event(told.kind.as_str()).data(told.data);
        if let Some(id) = told.id {
            event = event.id(id);
        }
        if let Some(retry) = first.take() {
            event = event.retry(retry);
        }
        Ok::<Event, Infallible>(event)
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SILENCE)).into_response()
}
