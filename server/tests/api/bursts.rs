//! Parallel requests against every limit: exactly as many pass as the limit says.

use std::time::Duration;

use everkey_server::db::codes::Guesser;
use everkey_server::limits::Limits;
use everkey_server::rules::code_guess::GuessCounts;
use everkey_server::rules::rate::Limit;
use serde_json::json;

use crate::kit::burst::{burst, count};
use crate::kit::server::{Options, Server, no_limits, start, wrong};
use crate::kit::wire::{Answer, request};

const ADA: &str = "ada@example.com";

fn ask(server: &Server, email: String) -> impl Future<Output = Answer> + Send + 'static {
    let (address, body) = (server.address, json!({ "email": email }));
    async move { request("POST", "/v0/auth/login/request").json(&body).send(address).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_codes_per_email_in_fifteen_minutes() {
    let limits = Limits { code_cooldown: Duration::ZERO, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let answers = burst(20, |_| ask(&server, ADA.to_owned())).await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (5, 15));
    assert_eq!(server.mails(5).await.len(), 5);
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    limited.expect_error(429, "rate_limited");
    assert_eq!(limited.json()["retry_after_secs"], 900);
    server.clock.advance(Duration::from_secs(900));
    server.ask_code(ADA).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_codes_per_address_in_fifteen_minutes() {
    let server = start(Options::default()).await;
    let answers = burst(30, |n| ask(&server, format!("user{n}@example.com"))).await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (20, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_seconds_between_two_codes_for_one_email() {
    let server = start(Options::default()).await;
    let answers = burst(10, |_| ask(&server, ADA.to_owned())).await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (1, 9));
    let limited = server.ask_code(ADA).await;
    assert_eq!(limited.json()["retry_after_secs"], 30);
    assert_eq!(limited.header("retry-after"), Some("30"));
    server.clock.advance(Duration::from_millis(29_999));
    server.ask_code(ADA).await.expect_error(429, "rate_limited");
    server.clock.advance(Duration::from_millis(1));
    server.ask_code(ADA).await.expect(200);
}

#[tokio::test]
async fn the_window_slides_and_the_pause_counts_from_the_newest() {
    let server = start(Options::default()).await;
    for wait in [30, 30, 30, 30, 900 - 4 * 120] {
        server.ask_code(ADA).await.expect(200);
        assert_eq!(server.ask_code(ADA).await.expect(429).json()["retry_after_secs"], wait);
        server.clock.advance(Duration::from_secs(120));
    }
    assert_eq!(server.ask_code(ADA).await.expect(429).json()["retry_after_secs"], 900 - 5 * 120);
    server.clock.advance(Duration::from_secs(900 - 5 * 120));
    server.ask_code(ADA).await.expect(200);
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(server.ask_code(ADA).await.expect(429).json()["retry_after_secs"], 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_are_counted_one_by_one() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    let body = json!({ "email": ADA, "code": wrong(&code) });
    let address = server.address;
    let answers = burst(20, |_| {
        let body = body.clone();
        async move { request("POST", "/v0/auth/login/verify").json(&body).send(address).await }
    })
    .await;
    assert_eq!(count(&answers, 401), 20);
    let guesser = Guesser { request: None, network: "127.0.0.1" };
    let mut tx = server.store.begin().await.unwrap();
    let stored = tx.live_codes_for_update(&email(), guesser, server.app.now()).await.unwrap();
    let counted = GuessCounts { by_network: 5, ..GuessCounts::default() };
    assert_eq!(stored[0].facts.guesses, counted, "each guess that was compared is counted");
    drop(tx);
    server.verify(ADA, &code).await.expect_error(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_failures_of_a_network_stop_exactly_at_its_limit() {
    let limit = Limit { max: 7, window: Duration::from_secs(86_400) };
    let limits = Limits { failures_per_ip: limit, ..no_limits() };
    let server = start(Options { limits, ..Options::default() }).await;
    let address = server.address;
    let answers = burst(20, |_| async move {
        let body = json!({ "email": ADA, "code": "000000" });
        request("POST", "/v0/auth/login/verify").json(&body).send(address).await
    })
    .await;
    assert_eq!((count(&answers, 401), count(&answers, 429)), (7, 13));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_signs_in_once_however_many_try() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    let body = json!({ "email": ADA, "code": code });
    let address = server.address;
    let answers = burst(5, |_| {
        let body = body.clone();
        async move { request("POST", "/v0/auth/login/verify").json(&body).send(address).await }
    })
    .await;
    assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 4));
    assert_eq!(server.events("login").await, 1);
}

#[tokio::test]
async fn a_session_may_rotate_only_so_often() {
    let limit = Limit { max: 3, window: Duration::from_secs(60) };
    let limits = Limits { rotations_per_session: limit, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let mut refresh = server.sign_in().await.refresh;
    for _ in 0..3 {
        let answer = server.post("/v0/auth/token/refresh", &json!({ "refresh_token": refresh })).await;
        answer.expect(200);
        refresh = answer.text("refresh_token");
    }
    let limited = server.post("/v0/auth/token/refresh", &json!({ "refresh_token": refresh })).await;
    limited.expect_error(429, "rate_limited");
    assert_eq!(limited.json()["attempt_consumed"], false);
    server.clock.advance(Duration::from_secs(60));
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": refresh })).await.expect(200);
}

fn email() -> everkey_server::rules::email::Email {
    everkey_server::rules::email::Email::parse(ADA).unwrap()
}
