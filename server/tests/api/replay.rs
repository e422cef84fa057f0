//! Replays: a second use revokes every session of the user, at once; strict mode forgives nothing.

use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::server::{Options, Server, start};
use crate::kit::wire::{Answer, request};

const REFRESH: &str = "/v0/auth/token/refresh";

async fn refresh(server: &Server, token: &str) -> Answer {
    server.post(REFRESH, &json!({ "refresh_token": token })).await
}

async fn keyed(server: &Server, token: &str, key: &str) -> Answer {
    let body = json!({ "refresh_token": token });
    request("POST", REFRESH).header("idempotency-key", key).json(&body).send(server.address).await
}

#[tokio::test]
async fn a_second_use_revokes_every_session_of_this_user() {
    let server = start(Options::without_limits()).await;
    let laptop = server.sign_in_as("ada@example.com", 1).await;
    server.clock.advance(Duration::from_secs(1));
    let phone = server.sign_in_as("ada@example.com", 2).await;
    server.clock.advance(Duration::from_secs(1));
    let other = server.sign_in_as("bob@example.com", 3).await;
    let rotated = refresh(&server, &laptop.refresh).await;
    rotated.expect(200);

    refresh(&server, &laptop.refresh).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 1);
    for access in [&laptop.access, &phone.access, &rotated.text("access_token")] {
        for route in ["/v0/auth/me", "/v0/auth/session", "/v0/reminders"] {
            server.get(route, access).await.expect_error(401, "unauthorized");
        }
    }
    for token in [&phone.refresh, &rotated.text("refresh_token"), &laptop.refresh] {
        refresh(&server, token).await.expect_error(401, "invalid_grant");
    }
    assert_eq!(server.events("replay_revoked_all").await, 1, "tokens of ended sessions raise no alarm");
    server.get("/v0/auth/me", &other.access).await.expect(200);
    refresh(&server, &other.refresh).await.expect(200);
}

#[tokio::test]
async fn old_tokens_can_not_end_a_session_after_a_replay() {
    let server = start(Options::without_limits()).await;
    let old = server.sign_in_as("ada@example.com", 1).await;
    refresh(&server, &old.refresh).await.expect(200);
    refresh(&server, &old.refresh).await.expect_error(401, "invalid_grant");
    server.clock.advance(Duration::from_secs(1));
    let new = server.sign_in_as("ada@example.com", 2).await;
    refresh(&server, &old.refresh).await.expect_error(401, "invalid_grant");
    server.get("/v0/auth/me", &new.access).await.expect(200);
}

#[tokio::test]
async fn strict_takes_the_same_key_for_a_replay() {
    let server = start(Options::strict()).await;
    let me = server.sign_in().await;
    let key = "k".repeat(43);
    let first = keyed(&server, &me.refresh, &key).await;
    first.expect(200);
    assert_eq!(first.json()["refresh_retry"], json!({ "v": 1, "until": "probe" }));
    keyed(&server, &me.refresh, &key).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 1);
    server.get("/v0/auth/me", &first.text("access_token")).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn strict_still_honours_the_deadline() {
    let server = start(Options::strict()).await;
    let me = server.sign_in().await;
    let late = request("POST", REFRESH)
        .header("x-request-deadline", &(server.clock.now().secs() - 1).to_string())
        .json(&json!({ "refresh_token": me.refresh }))
        .send(server.address)
        .await;
    late.expect_error(409, "deadline_passed");
    let session = server.get("/v0/auth/session", &me.access).await.json();
    assert_eq!(session["generation"], 1);
    refresh(&server, &me.refresh).await.expect(200);
}
