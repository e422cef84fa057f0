//! `GET /v0/auth/session` and `GET /v0/auth/me`: what an access token opens.

use std::time::Duration;

use serde_json::json;

use crate::kit::room::connect;
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

#[tokio::test]
async fn the_session_route_tells_user_session_and_generation() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let answer = server.get("/v0/auth/session", &me.access).await;
    answer.expect(200);
    let body = answer.json();
    assert_eq!(body["user"], json!({ "id": me.user_id, "email": "ada@example.com" }));
    assert_eq!(body["generation"], 1);
    assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
}

#[tokio::test]
async fn an_expired_token_tells_only_session_and_generation() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let whole = server.get("/v0/auth/session", &me.access).await.json();
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await.expect(200);
    server.clock.advance(Duration::from_secs(3600));
    let answer = server.get("/v0/auth/session", &me.access).await;
    answer.expect(200);
    assert_eq!(answer.json(), json!({ "session_id": whole["session_id"], "generation": 2 }));
    server.get("/v0/auth/me", &me.access).await.expect_error(401, "unauthorized");
    server.get("/v0/reminders", &me.access).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn a_probe_consumes_nothing() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    for _ in 0..3 {
        assert_eq!(server.get("/v0/auth/session", &me.access).await.json()["generation"], 1);
    }
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await.expect(200);
}

#[tokio::test]
async fn me_tells_the_account() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let answer = server.get("/v0/auth/me", &me.access).await;
    answer.expect(200);
    let expected = json!({
        "id": me.user_id, "email": "ada@example.com", "status": "active", "created_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn an_access_token_stops_at_the_second_it_says() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    server.clock.advance(Duration::from_millis(3_599_999));
    server.get("/v0/auth/me", &me.access).await.expect(200);
    server.clock.advance(Duration::from_millis(1));
    server.get("/v0/auth/me", &me.access).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn the_same_person_keeps_their_id() {
    let server = start(Options::without_limits()).await;
    let first = server.sign_in_as("ada@example.com", 1).await;
    server.clock.advance(Duration::from_secs(1));
    let second = server.sign_in_as("ADA@example.com", 2).await;
    assert_eq!(first.user_id, second.user_id);
}

#[tokio::test]
async fn bad_bearers_are_unauthorized() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let tampered = format!("{}A", &me.access[..me.access.len() - 1]);
    let endless = "a".repeat(5000);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        me.access.as_str(),
        &format!("Bearer {}", me.refresh),
        "Bearer a.b.c",
        &format!("Bearer {tampered}x"),
        &format!("Bearer {endless}"),
    ] {
        for path in ["/v0/auth/me", "/v0/auth/session", "/v0/reminders"] {
            let answer = request("GET", path).header("authorization", value).send(server.address).await;
            answer.expect_error(401, "unauthorized");
        }
    }
    let twice = request("GET", "/v0/auth/me").bearer(&me.access).bearer(&me.access);
    twice.send(server.address).await.expect_error(401, "unauthorized");
    request("GET", "/v0/auth/me").send(server.address).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn a_disabled_account_opens_nothing() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let mut database = connect(server.folder()).await;
    sqlx::query("UPDATE users SET status = 'disabled'").execute(&mut database).await.unwrap();
    server.get("/v0/auth/me", &me.access).await.expect_error(401, "unauthorized");
    server.get("/v0/auth/session", &me.access).await.expect_error(401, "unauthorized");
    let refreshed = server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await;
    refreshed.expect_error(401, "invalid_grant");
    server.clock.advance(Duration::from_secs(1));
    let code = server.new_code("ada@example.com", 2).await;
    server.verify("ada@example.com", &code).await.expect_error(401, "unauthorized");
}
