//! Refresh tokens of OAuth clients: RR-1 as on the first-party route, bound to their client.

use std::sync::Arc;
use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::oauth::{oauth_refresh, text};
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

fn key(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

#[tokio::test]
async fn the_same_key_gets_the_successor_and_another_waits() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let tokens = server.oauth_tokens(&me, &client, "email").await;
    let old = text(&tokens, "refresh_token");
    let send = async |n: u8| {
        oauth_refresh(&client, &old, &[]).header("idempotency-key", &key(n)).send(server.address).await
    };
    let first = send(1).await;
    first.expect(200);
    assert_eq!((first.text("scope").as_str(), first.text("token_type").as_str()), ("email", "Bearer"));
    assert_eq!(first.json()["refresh_retry"], json!({ "v": 1, "until": "used" }));
    assert_eq!(first.json()["refresh_expires_in"], 2_592_000);
    assert_eq!(send(1).await.text("refresh_token"), first.text("refresh_token"));
    let other = send(2).await;
    other.expect_oauth_error(409, "rotation_in_progress");
    assert_eq!(
        (other.text("code").as_str(), &other.json()["attempt_consumed"]),
        ("rotation_in_progress", &json!(false))
    );
    let late = (server.clock.now().secs() - 1).to_string();
    let late = oauth_refresh(&client, &first.text("refresh_token"), &[])
        .header("idempotency-key", &key(3))
        .header("x-request-deadline", &late)
        .send(server.address)
        .await;
    late.expect_oauth_error(409, "deadline_passed");
    assert_eq!(
        (late.text("code").as_str(), &late.json()["attempt_consumed"]),
        ("deadline_passed", &json!(false))
    );
    assert!(late.header("date").is_some());
    let bad = oauth_refresh(&client, &old, &[]).header("idempotency-key", "short").send(server.address).await;
    bad.expect_oauth_error(400, "invalid_request");
    server.oauth_refresh(&client, &first.text("refresh_token"), &[]).await.expect(200);
}

#[tokio::test]
async fn two_uses_without_a_key_are_a_replay() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let old = text(&server.oauth_tokens(&me, &client, "email").await, "refresh_token");
    server.oauth_refresh(&client, &old, &[]).await.expect(200);
    server.oauth_refresh(&client, &old, &[]).await.expect_oauth_error(400, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 1);
}

#[tokio::test]
async fn another_holder_consumes_nothing_and_raises_no_alarm() {
    let server = start(Options::without_limits()).await;
    let (me, client, other) =
        (server.sign_in().await, server.public_client().await, server.public_client().await);
    let confidential = server.secret_client("client_secret_post").await;
    let tokens = server.oauth_tokens(&me, &client, "email").await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let strangers = async |token: &str| {
        for stranger in [&other, &confidential] {
            server.oauth_refresh(stranger, token, &[]).await.expect_oauth_error(400, "invalid_grant");
        }
        let first_party = json!({ "refresh_token": token });
        server.post("/v0/auth/token/refresh", &first_party).await.expect_error(401, "invalid_grant");
        server.post("/v0/auth/logout", &first_party).await.expect_error(401, "invalid_grant");
    };
    strangers(&refresh).await;
    server.oauth_refresh(&client, &me.refresh, &[]).await.expect_oauth_error(400, "invalid_grant");
    let rotated = server.oauth_refresh(&client, &refresh, &[]).await;
    rotated.expect(200);
    strangers(&refresh).await;
    strangers(&rotated.text("refresh_token")).await;
    assert_eq!(server.events("replay_revoked_all").await, 0);
    assert_eq!(server.events("logout").await, 0);
    request("GET", "/userinfo").bearer(&access).send(server.address).await.expect(200);
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await.expect(200);
}

#[tokio::test]
async fn a_scope_may_be_narrowed_but_never_widened() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let old = text(&server.oauth_tokens(&me, &client, "profile email").await, "refresh_token");
    for wider in ["openid", "openid email", "profile email offline_access", "nothing-known", "a\tb"] {
        let answer = server.oauth_refresh(&client, &old, &[("scope", wider)]).await;
        answer.expect_oauth_error(400, "invalid_scope");
    }
    assert_eq!(server.events("rotated").await, 0);
    let narrow = server.oauth_refresh(&client, &old, &[("scope", "profile")]).await;
    narrow.expect(200);
    assert_eq!(narrow.text("scope"), "profile");
    let seen = request("GET", "/userinfo").bearer(&narrow.text("access_token")).send(server.address).await;
    assert_eq!(seen.json(), json!({ "sub": me.user_id }), "the narrower token tells no address");
    let whole = server.oauth_refresh(&client, &narrow.text("refresh_token"), &[]).await;
    assert_eq!(whole.text("scope"), "profile email");
}

#[tokio::test]
async fn many_at_once_with_one_key_share_one_successor() {
    let server = Arc::new(start(Options::without_limits()).await);
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let old = text(&server.oauth_tokens(&me, &client, "email").await, "refresh_token");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let request = oauth_refresh(&client, &old, &[]).header("idempotency-key", &key(7));
            let address = server.address;
            tokio::spawn(async move { request.send(address).await })
        })
        .collect();
    let mut successors = std::collections::BTreeSet::new();
    for task in tasks {
        let answer = task.await.unwrap();
        answer.expect(200);
        successors.insert(answer.text("refresh_token"));
    }
    assert_eq!((successors.len(), server.events("rotated").await), (1, 1));
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_can_not_refresh() {
    let server = start(Options::without_limits()).await;
    let metadata =
        json!({ "redirect_uris": [crate::kit::oauth::REDIRECT], "token_endpoint_auth_method": "none" });
    let client = server.client(&metadata).await;
    let me = server.sign_in().await;
    server.oauth_refresh(&client, &me.refresh, &[]).await.expect_oauth_error(400, "unauthorized_client");
}

#[tokio::test]
async fn a_lapsed_refresh_token_is_refused() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let old = text(&server.oauth_tokens(&me, &client, "email").await, "refresh_token");
    server.clock.advance(Duration::from_secs(2_592_000));
    server.oauth_refresh(&client, &old, &[]).await.expect_oauth_error(400, "invalid_grant");
}
