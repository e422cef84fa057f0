//! `GET /metrics`, on a listener of its own.

use std::sync::{Arc, Weak};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::AppState;
use crate::metrics::{Gauges, METRICS};

/// The one route of the metrics listener. It does not keep the server alive that it tells about.
pub fn router(app: &Arc<AppState>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(Arc::downgrade(app))
}

async fn metrics(State(app): State<Weak<AppState>>) -> Response {
    let Some(app) = app.upgrade() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], METRICS.text(gauges(&app)))
        .into_response()
}

fn gauges(app: &AppState) -> Gauges {
    let (busy_connections, idle_connections) = app.store.connections();
    Gauges {
        busy_connections,
        idle_connections,
        waiting_mails: app.outbox.waiting(),
        keys: app.keys.all().count(),
        key_age: app.now().since(app.keys.current().created_at),
    }
}
