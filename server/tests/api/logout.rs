//! Logout: the refresh token is enough, even a spent one, and nothing about it is an alarm.

use std::time::Duration;

use serde_json::json;

use crate::kit::server::{Options, start};
use crate::kit::wire::request;

const LOGOUT: &str = "/v0/auth/logout";
const REFRESH: &str = "/v0/auth/token/refresh";

#[tokio::test]
async fn logout_needs_no_bearer_and_ends_the_session_at_once() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let answer = server.post(LOGOUT, &json!({ "refresh_token": me.refresh })).await;
    answer.expect(204);
    assert_eq!(answer.body, "");
    server.get("/v0/auth/me", &me.access).await.expect_error(401, "unauthorized");
    server.get("/v0/auth/session", &me.access).await.expect_error(401, "unauthorized");
    server.post(REFRESH, &json!({ "refresh_token": me.refresh })).await.expect_error(401, "invalid_grant");
    assert_eq!((server.events("logout").await, server.events("replay_revoked_all").await), (1, 0));
}

#[tokio::test]
async fn a_bearer_may_come_along_even_a_bad_one() {
    for bearer in ["good", "nonsense"] {
        let server = start(Options::default()).await;
        let me = server.sign_in().await;
        let bearer = if bearer == "good" { &me.access } else { bearer };
        let body = json!({ "refresh_token": me.refresh });
        request("POST", LOGOUT).bearer(bearer).json(&body).send(server.address).await.expect(204);
    }
}

#[tokio::test]
async fn a_spent_token_logs_out_without_alarm() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in_as("ada@example.com", 1).await;
    server.clock.advance(Duration::from_secs(1));
    let elsewhere = server.sign_in_as("ada@example.com", 2).await;
    let next = server.post(REFRESH, &json!({ "refresh_token": me.refresh })).await;
    server.clock.advance(Duration::from_secs(60));
    server.post(LOGOUT, &json!({ "refresh_token": me.refresh })).await.expect(204);
    server.get("/v0/auth/me", &next.text("access_token")).await.expect_error(401, "unauthorized");
    let spent = server.post(REFRESH, &json!({ "refresh_token": me.refresh })).await;
    spent.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 0);
    server.get("/v0/auth/me", &elsewhere.access).await.expect(200);
}

#[tokio::test]
async fn only_an_unknown_token_fails_to_log_out() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    for _ in 0..2 {
        server.post(LOGOUT, &json!({ "refresh_token": me.refresh })).await.expect(204);
    }
    assert_eq!(server.events("logout").await, 1);
    server.post(LOGOUT, &json!({ "refresh_token": "unknown" })).await.expect_error(401, "invalid_grant");
}

#[tokio::test]
async fn a_lapsed_token_still_logs_out() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    server.clock.advance(Duration::from_secs(31 * 86_400));
    server.post(LOGOUT, &json!({ "refresh_token": me.refresh })).await.expect(204);
    assert_eq!(server.events("logout").await, 1);
}
