//! Refresh without faults: what rotates, what the answer says, what stays valid.

use std::time::Duration;

use serde_json::json;

use crate::kit::server::{Options, start};

const REFRESH: &str = "/v0/auth/token/refresh";

#[tokio::test]
async fn a_refresh_answers_with_a_new_pair_and_no_user() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let answer = server.post(REFRESH, &json!({ "refresh_token": me.refresh })).await;
    answer.expect(200);
    let body = answer.json();
    assert_eq!(body.get("user"), None);
    assert_eq!(body["refresh_retry"], json!({ "v": 1, "until": "used" }));
    assert_ne!(answer.text("refresh_token"), me.refresh);
    let session = server.get("/v0/auth/session", &answer.text("access_token")).await.json();
    assert_eq!(session["generation"], 2);
    server.get("/v0/auth/me", &me.access).await.expect(200);
    assert_eq!(server.events("rotated").await, 1);
}

#[tokio::test]
async fn each_refresh_of_a_chain_has_a_full_lifetime() {
    let server = start(Options::default()).await;
    let mut refresh = server.sign_in().await.refresh;
    for _ in 0..4 {
        server.clock.advance(Duration::from_secs(29 * 86_400));
        let answer = server.post(REFRESH, &json!({ "refresh_token": refresh })).await;
        answer.expect(200);
        assert_eq!(answer.json()["refresh_expires_in"], 30 * 86_400);
        refresh = answer.text("refresh_token");
    }
}

#[tokio::test]
async fn a_lapsed_token_is_refused_without_any_alarm() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    server.clock.advance(Duration::from_secs(30 * 86_400));
    server.post(REFRESH, &json!({ "refresh_token": me.refresh })).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 0);
    assert_eq!(server.events("refused").await, 1);
}

#[tokio::test]
async fn an_unknown_token_is_invalid_grant() {
    let server = start(Options::default()).await;
    for token in ["x", "a".repeat(43).as_str(), "a".repeat(9000).as_str(), ""] {
        let answer = server.post(REFRESH, &json!({ "refresh_token": token })).await;
        answer.expect_error(401, "invalid_grant");
        assert_eq!(answer.json().get("attempt_consumed"), None);
    }
}

#[tokio::test]
async fn sessions_outlive_a_restart() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let server = server.restart(Options::default()).await;
    server.get("/v0/auth/me", &me.access).await.expect(200);
    server.post(REFRESH, &json!({ "refresh_token": me.refresh })).await.expect(200);
}
