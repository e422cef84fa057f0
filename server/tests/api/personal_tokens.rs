//! The rules of personal access tokens, each with an attempt to break it.

use std::time::Duration;

use everkey_server::db::users::AccountStatus;
use everkey_server::jobs::housekeeping::Housekeeping;
use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;
use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};

use crate::kit::binboi::{ME, TOKENS, expect_plain, make, revoke};
use crate::kit::burst::{burst, count};
use crate::kit::server::{Options, Server, no_limits, start};
use crate::kit::wire::{Answer, request};

const DAY: Duration = Duration::from_secs(86_400);

fn show(server: &Server, token: &str) -> impl Future<Output = Answer> + Send + 'static {
    let (address, token) = (server.address, token.to_owned());
    async move { request("GET", ME).bearer(&token).send(address).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_never_exceeded_however_many_ask_at_once() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let answers = burst(12, |_| {
        let ask = request("POST", TOKENS).bearer(&me.access).json(&json!({}));
        let address = server.address;
        async move { ask.send(address).await }
    })
    .await;
    assert_eq!((count(&answers, 201), count(&answers, 403)), (3, 9), "{answers:?}");
    let full = answers.iter().find(|answer| answer.status == 403).unwrap();
    expect_plain(full, 403);
    assert_eq!(full.json()["code"], "TOKEN_LIMIT_REACHED");
    let tokens = server.get(TOKENS, &me.access).await.json();
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 3);

    // A revoked one makes room for exactly one.
    revoke(&server, &me, tokens["tokens"][0]["id"].as_str().unwrap()).await.expect(200);
    make(&server, &me, &json!({})).await.expect(201);
    make(&server, &me, &json!({})).await.expect(403);
}

#[tokio::test]
async fn the_plan_sets_each_users_number() {
    let server = start(Options::without_limits()).await;
    let (ada, bob) = (server.sign_in().await, server.sign_in_as("bob@example.com", 2).await);
    for _ in 0..3 {
        make(&server, &ada, &json!({})).await.expect(201);
    }
    make(&server, &ada, &json!({})).await.expect(403);
    make(&server, &bob, &json!({})).await.expect(201);
    let mut tx = server.store.begin().await.unwrap();
    tx.set_plan(&ada.user_id, "pro").await.unwrap();
    tx.commit().await.unwrap();
    let fourth = make(&server, &ada, &json!({})).await;
    fourth.expect(201);
    assert_eq!(fourth.json()["limits"], json!({ "plan": "PRO", "max_tokens": 25, "tokens_used": 4 }));
}

#[tokio::test]
async fn a_token_lapses_when_it_said_so_and_makes_room() {
    let server = start(Options { limits: no_limits(), ..Options::default() }).await;
    let me = server.sign_in().await;
    let made = make(&server, &me, &json!({ "expires_in_days": 1 })).await;
    assert_eq!(made.json()["record"]["expiresAt"], "2027-01-16T08:00:00.000Z");
    let token = made.text("token");
    server.clock.advance(DAY - Duration::from_millis(1));
    server.get(ME, &token).await.expect(200);
    server.clock.advance(Duration::from_millis(1));
    expect_plain(&server.get(ME, &token).await, 401);
    let me = server.sign_in_as("ada@example.com", 2).await;
    let list = server.get(TOKENS, &me.access).await.json();
    assert_eq!(
        (&list["tokens"][0]["status"], &list["limits"]["tokens_used"]),
        (&json!("EXPIRED"), &json!(0))
    );
}

#[tokio::test]
async fn every_token_that_opens_nothing_gets_the_same_answer() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let token = make(&server, &me, &json!({})).await.text("token");
    let (prefix, secret) = token.rsplit_once('_').unwrap();
    let other = if secret.starts_with('0') { "1" } else { "0" };
    let answer = server.get(ME, "x").await;
    expect_plain(&answer, 401);
    for wrong in [
        prefix.to_owned(),
        format!("{prefix}_"),
        format!("{prefix}_{other}{}", &secret[1..]),
        format!("{prefix}_{}", &secret[1..]),
        format!("binboi_pat_00000000_{secret}"),
        token.to_uppercase(),
        format!("{token}0"),
        format!("{token}_{secret}"),
        "binboi_pat_%00".to_owned(),
    ] {
        let refused = server.get(ME, &wrong).await;
        assert_eq!((refused.status, &refused.body), (401, &answer.body), "{wrong}");
    }
    for bare in [request("GET", ME), request("GET", ME).header("authorization", "Basic eA==")] {
        let refused = bare.send(server.address).await;
        assert_eq!((refused.status, &refused.body), (401, &answer.body));
    }
    let twice = request("GET", ME).bearer(&token).bearer(&token).send(server.address).await;
    expect_plain(&twice, 401);
    server.get(ME, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_refused_tokens_are_limited_per_address() {
    let limits =
        Limits { refused_tokens_per_ip: Limit { max: 5, window: Duration::from_secs(60) }, ..no_limits() };
    let server = start(Options { limits, ..Options::default() }).await;
    let me = server.sign_in().await;
    let token = make(&server, &me, &json!({})).await.text("token");
    let answers = burst(20, |_| show(&server, "binboi_pat_nope")).await;
    assert_eq!((count(&answers, 401), count(&answers, 429)), (5, 15));
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.header("retry-after"), Some("60"));
    let body = limited.json();
    assert_eq!((&body["error"]["code"], &body["meta"]), (&json!("RATE_LIMITED"), &json!({})));
    assert!(body["error"]["message"].as_str().unwrap().contains("60 seconds"));
    server.get(ME, &token).await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    expect_plain(&show(&server, "binboi_pat_nope").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn making_tokens_is_limited_even_when_each_is_revoked() {
    let limits = Limits { tokens_per_user: Limit { max: 4, window: DAY }, ..no_limits() };
    let server = start(Options { limits, ..Options::default() }).await;
    let me = server.sign_in().await;
    for _ in 0..4 {
        let made = make(&server, &me, &json!({})).await;
        revoke(&server, &me, made.json()["record"]["id"].as_str().unwrap()).await.expect(200);
    }
    let limited = make(&server, &me, &json!({})).await;
    assert_eq!((limited.status, &limited.json()["error"]["code"]), (429, &json!("RATE_LIMITED")));
    assert_eq!(limited.header("retry-after"), Some("86400"));
}

#[tokio::test]
async fn a_use_is_written_down_once_a_minute() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let token = make(&server, &me, &json!({})).await.text("token");
    let last_used = async || -> Value {
        let list = server.get(TOKENS, &me.access).await.json();
        list["tokens"][0]["lastUsedAt"].clone()
    };
    server.get(ME, &token).await.expect(200);
    server.clock.advance(Duration::from_millis(59_999));
    server.get(ME, &token).await.expect(200);
    assert_eq!(last_used().await, "2027-01-15T08:00:00.000Z");
    server.clock.advance(Duration::from_millis(1));
    server.get(ME, &token).await.expect(200);
    assert_eq!(last_used().await, "2027-01-15T08:01:00.000Z");
}

#[tokio::test]
async fn a_token_is_kept_as_prefix_and_hash_only() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let token = make(&server, &me, &json!({})).await.text("token");
    let secret = token.rsplit_once('_').unwrap().1.as_bytes();
    server.get(ME, &token).await.expect(200);
    for (name, bytes) in crate::kit::room::everything_in(server.folder()).await {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{name}");
    }
}

#[tokio::test]
async fn only_ended_tokens_are_forgotten_after_ninety_days() {
    let server = start(Options::without_limits()).await;
    let housekeeping = Housekeeping {
        store: server.store.clone(),
        limits: Limits::default(),
        refresh_ttl: Duration::from_secs(3650 * 86_400),
        clock: server.clock.clone(),
    };
    let me = server.sign_in().await;
    let live = make(&server, &me, &json!({ "name": "live", "never_expires": true })).await.text("token");
    make(&server, &me, &json!({ "name": "short", "expires_in_days": 1 })).await.expect(201);
    let revoked = make(&server, &me, &json!({ "name": "revoked" })).await.json();
    revoke(&server, &me, revoked["record"]["id"].as_str().unwrap()).await.expect(200);
    let names = async |n: usize| -> Vec<String> {
        let me = server.sign_in_as("ada@example.com", n).await;
        let list = server.get(TOKENS, &me.access).await.json();
        list["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["name"].as_str().unwrap().to_owned())
            .collect()
    };
    server.clock.advance(DAY * 90);
    housekeeping.tidy(server.clock.now()).await.unwrap();
    assert_eq!(names(2).await.len(), 3);
    server.clock.advance(DAY * 2);
    housekeeping.tidy(server.clock.now()).await.unwrap();
    assert_eq!(names(3).await, ["live"]);
    server.get(ME, &live).await.expect(200);
}

#[tokio::test]
async fn a_disabled_user_has_no_token_that_works() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let token = make(&server, &me, &json!({})).await.text("token");
    for (status, answer) in [(AccountStatus::Disabled, 401), (AccountStatus::Active, 200)] {
        let mut tx = server.store.begin().await.unwrap();
        tx.set_status(&me.user_id, status).await.unwrap();
        tx.commit().await.unwrap();
        server.get(ME, &token).await.expect(answer);
    }
}
