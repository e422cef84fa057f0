//! Health, and the headers every answer has.

use serde_json::json;

use crate::kit::server::{Options, start};
use crate::kit::wire::request;

#[tokio::test]
async fn healthz_is_200_while_the_database_answers_and_503_afterwards() {
    let server = start(Options::default()).await;
    let healthy = request("GET", "/healthz").send(server.address).await;
    healthy.expect(200);
    assert_eq!(healthy.json(), json!({ "status": "ok" }));
    server.store.close().await;
    request("GET", "/healthz").send(server.address).await.expect_error(503, "unavailable");
}

#[tokio::test]
async fn a_failing_database_is_503_and_nothing_consumed() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    server.store.close().await;
    let answer = server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await;
    answer.expect_error(503, "unavailable");
    assert_eq!(answer.json()["attempt_consumed"], false);
    server.get("/v0/auth/me", &me.access).await.expect_error(503, "unavailable");
}

#[tokio::test]
async fn answers_are_never_cached_or_sniffed() {
    let server = start(Options::default()).await;
    for path in ["/healthz", "/v0/auth/me", "/nowhere"] {
        let answer = request("GET", path).send(server.address).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}
