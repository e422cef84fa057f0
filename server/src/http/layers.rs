//! What happens around every request: a time limit, headers, one log line, and no panic that gets out.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::AppState;
use crate::http::error::ApiError;
use crate::metrics::METRICS;
use crate::time::Timestamp;

/// Longer than any request takes while the database answers at all.
const SLOWEST: Duration = Duration::from_secs(20);

/// Ends a request that takes too long. Whether it changed anything is then unknown, and so it says nothing.
pub async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(SLOWEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "timeout", "The server took too long.")
            .into_response(),
    }
}

/// Sets the headers that every answer has: nothing is cached unless it says so itself, and `Date` is the clock that deadlines are
/// held against.
pub async fn set_headers(State(app): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(date) = http_date(app.now()) {
        headers.insert(header::DATE, date);
    }
    response
}

/// Counts each request and logs a line about it: no address, no header, no body.
pub async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let (route, took) = (route.as_ref().map(MatchedPath::as_str), began.elapsed());
    METRICS.answered(&method, route, response.status(), took);
    let route = route.unwrap_or("(none)");
    let (status, ms) = (response.status().as_u16(), took.as_millis());
    tracing::info!(%method, route, status, ms, "request");
    response
}

/// The answer in place of a panic. Its message may hold anything, so it is not repeated.
pub fn on_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed on the server.")
        .into_response()
}

fn http_date(now: Timestamp) -> Option<HeaderValue> {
    let at = jiff::Timestamp::from_second(now.secs()).ok()?;
    HeaderValue::from_str(&jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?)
        .ok()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    async fn answer(router: Router) -> (StatusCode, String) {
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn panics() {
        panic!("hunter2")
    }

    #[tokio::test]
    async fn a_panic_is_500_without_its_message() {
        let router = Router::new().route("/", get(panics)).layer(CatchPanicLayer::custom(on_panic));
        let (status, body) = answer(router).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("\"internal\"") && !body.contains("hunter2"), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_ends_is_ended_and_claims_nothing() {
        let router = Router::new().route("/", get(std::future::pending::<()>)).layer(from_fn(limit_time));
        let (status, body) = answer(router).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("\"timeout\"") && !body.contains("attempt_consumed"), "{body}");
    }

    #[test]
    fn dates_are_written_as_rfc_9110_asks() {
        assert_eq!(http_date(Timestamp::from_secs(784_111_777)).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
