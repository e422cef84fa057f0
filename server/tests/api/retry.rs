//! RR-1: a lost answer can be asked for again, and nothing else can.

use std::time::Duration;

use everkey_server::keys::{KeyRing, ServerKey};
use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::server::{Options, Server, start};
use crate::kit::wire::{Answer, Request, request};

fn key(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

fn refresh(token: &str) -> Request {
    request("POST", "/v0/auth/token/refresh").json(&json!({ "refresh_token": token }))
}

async fn with_key(server: &Server, token: &str, key: &str) -> Answer {
    refresh(token).header("idempotency-key", key).send(server.address).await
}

async fn with_deadline(server: &Server, token: &str, offset: i64) -> Answer {
    let deadline = server.clock.now().secs() + offset;
    refresh(token)
        .header("idempotency-key", &key(1))
        .header("x-request-deadline", &deadline.to_string())
        .send(server.address)
        .await
}

#[tokio::test]
async fn the_same_key_gets_one_successor_until_its_use() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let first = with_key(&server, &me.refresh, &key(1)).await;
    first.expect(200);
    for days in [0, 1, 28] {
        server.clock.advance(Duration::from_secs(days * 86_400));
        let again = with_key(&server, &me.refresh, &key(1)).await;
        again.expect(200);
        assert_eq!(again.text("refresh_token"), first.text("refresh_token"));
    }
    assert_eq!((server.events("rotated").await, server.events("repeat_answered").await), (1, 3));
    with_key(&server, &first.text("refresh_token"), &key(2)).await.expect(200);
    with_key(&server, &me.refresh, &key(1)).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 0);
}

#[tokio::test]
async fn a_repeat_ignores_the_parents_expiry_and_tells_the_successors() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    server.clock.advance(Duration::from_secs(29 * 86_400));
    let first = with_key(&server, &me.refresh, &key(1)).await;
    server.clock.advance(Duration::from_secs(2 * 86_400));
    let again = with_key(&server, &me.refresh, &key(1)).await;
    again.expect(200);
    assert_eq!(again.text("refresh_token"), first.text("refresh_token"));
    assert_eq!(again.json()["refresh_expires_in"], 28 * 86_400);
    server.clock.advance(Duration::from_secs(28 * 86_400));
    with_key(&server, &me.refresh, &key(1)).await.expect_error(401, "invalid_grant");
}

#[tokio::test]
async fn an_access_token_of_the_successor_ends_repeats() {
    for route in ["/v0/auth/me", "/v0/auth/session", "/v0/reminders"] {
        let server = start(Options::default()).await;
        let me = server.sign_in().await;
        let first = with_key(&server, &me.refresh, &key(1)).await;
        server.get(route, &me.access).await.expect(200);
        with_key(&server, &me.refresh, &key(1)).await.expect(200);
        server.get(route, &first.text("access_token")).await.expect(200);
        with_key(&server, &me.refresh, &key(1)).await.expect_error(401, "invalid_grant");
        with_key(&server, &first.text("refresh_token"), &key(2)).await.expect(200);
    }
}

#[tokio::test]
async fn another_key_is_first_a_race_then_a_replay() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let first = with_key(&server, &me.refresh, &key(1)).await;
    server.clock.advance(Duration::from_secs(299));
    for answer in
        [with_key(&server, &me.refresh, &key(2)).await, refresh(&me.refresh).send(server.address).await]
    {
        answer.expect_error(409, "rotation_in_progress");
        assert_eq!(answer.json()["attempt_consumed"], false);
    }
    let next = with_key(&server, &first.text("refresh_token"), &key(3)).await;
    next.expect(200);
    with_key(&server, &first.text("refresh_token"), &key(4)).await.expect_error(409, "rotation_in_progress");
    assert_eq!(server.events("replay_revoked_all").await, 0);
    with_key(&server, &me.refresh, &key(2)).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 1);
    server.get("/v0/auth/me", &next.text("access_token")).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn within_ten_seconds_a_used_successor_makes_a_race() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let first = with_key(&server, &me.refresh, &key(1)).await;
    server.get("/v0/auth/me", &first.text("access_token")).await.expect(200);
    server.clock.advance(Duration::from_millis(9_999));
    with_key(&server, &me.refresh, &key(2)).await.expect_error(409, "rotation_in_progress");
    server.clock.advance(Duration::from_millis(1));
    with_key(&server, &me.refresh, &key(2)).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_refreshes_with_one_key_get_one_successor() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let request = refresh(&me.refresh).header("idempotency-key", &key(1));
    let address = server.address;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let request = request.clone();
            tokio::spawn(async move { request.send(address).await })
        })
        .collect();
    let mut successors = std::collections::BTreeSet::new();
    for task in tasks {
        successors.insert(task.await.unwrap().expect(200).text("refresh_token"));
    }
    assert_eq!(successors.len(), 1);
    assert_eq!((server.events("rotated").await, server.events("repeat_answered").await), (1, 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_refreshes_with_different_keys_rotate_once() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let address = server.address;
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let request = refresh(&me.refresh).header("idempotency-key", &key(n));
            tokio::spawn(async move { request.send(address).await })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == 200 {
            winners.push(answer);
        } else {
            answer.expect_error(409, "rotation_in_progress");
        }
    }
    assert_eq!((winners.len(), server.events("rotated").await), (1, 1));
    assert_eq!(server.events("replay_revoked_all").await, 0);
    server.get("/v0/auth/me", &winners[0].text("access_token")).await.expect(200);
}

#[tokio::test]
async fn a_missed_deadline_changes_nothing_and_tells_the_date() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    for offset in [-1, -86_400, 31, 86_400] {
        let late = with_deadline(&server, &me.refresh, offset).await;
        late.expect_error(409, "deadline_passed");
        assert_eq!(late.json()["attempt_consumed"], false);
        assert_eq!(late.header("date"), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
    }
    assert_eq!(server.events("rotated").await, 0);
    for offset in [0, 30] {
        with_deadline(&server, &me.refresh, offset).await.expect(200);
    }
    assert_eq!(server.events("rotated").await, 1);
}

#[tokio::test]
async fn a_late_copy_of_a_replay_raises_no_alarm() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await.expect(200);
    with_deadline(&server, &me.refresh, -1).await.expect_error(409, "deadline_passed");
    with_deadline(&server, "unknown", -1).await.expect_error(409, "deadline_passed");
    assert_eq!(server.events("replay_revoked_all").await, 0);
}

#[tokio::test]
async fn malformed_retry_headers_are_refused_and_consume_nothing() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    for (name, value) in [
        ("idempotency-key", "short"),
        ("idempotency-key", ""),
        ("idempotency-key", &"k".repeat(129)),
        ("x-request-deadline", "soon"),
        ("x-request-deadline", ""),
        ("x-request-deadline", "-1"),
        ("x-request-deadline", "1e9"),
        ("x-request-deadline", "99999999999999999999"),
    ] {
        let answer = refresh(&me.refresh).header(name, value).send(server.address).await;
        answer.expect_error(400, "validation_error");
    }
    let twice = refresh(&me.refresh).header("idempotency-key", &key(1)).header("idempotency-key", &key(2));
    twice.send(server.address).await.expect_error(400, "validation_error");
    assert_eq!(server.events("rotated").await, 0);
    with_key(&server, &me.refresh, &key(1)).await.expect(200);
}

#[tokio::test]
async fn a_repeat_outlives_a_restart_and_a_key_rotation() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let first = with_key(&server, &me.refresh, &key(1)).await;
    let rotated = KeyRing::new(
        ServerKey::random(server.clock.now()).unwrap(),
        vec![ServerKey::clone(&server.keys.current())],
    );
    let server = server.restart(Options { keys: Some(rotated), ..Options::default() }).await;
    let again = with_key(&server, &me.refresh, &key(1)).await;
    again.expect(200);
    assert_eq!(again.text("refresh_token"), first.text("refresh_token"));
}

#[tokio::test]
async fn a_repeat_without_its_server_key_is_503() {
    let server = start(Options::default()).await;
    let (me, old) = (server.sign_in().await, server.keys.clone());
    let first = with_key(&server, &me.refresh, &key(1)).await;
    let mut forged = ServerKey::random(server.clock.now()).unwrap();
    forged.id.clone_from(&old.current().id);
    let strangers = KeyRing::new(ServerKey::random(server.clock.now()).unwrap(), Vec::new());
    let mut server = server;
    for keys in [strangers, KeyRing::new(forged, Vec::new())] {
        server = server.restart(Options { keys: Some(keys), ..Options::default() }).await;
        let answer = with_key(&server, &me.refresh, &key(1)).await;
        answer.expect_error(503, "unavailable");
        assert_eq!(answer.json()["attempt_consumed"], false);
    }
    let server = server.restart(Options { keys: Some(old), ..Options::default() }).await;
    let again = with_key(&server, &me.refresh, &key(1)).await;
    assert_eq!(again.text("refresh_token"), first.text("refresh_token"));
}
