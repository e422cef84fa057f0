//! achilles' routes: its answers, its limits, and what its tokens open.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bursts::{burst, count};
use crate::harness::{Options, Server, start};
use crate::wire::{Answer, request};

pub const CODE: &str = "/api/cli/auth/device-code";
pub const POLL: &str = "/api/cli/auth/poll";
pub const REFRESH: &str = "/api/cli/auth/refresh";
pub const ME: &str = "/api/cli/auth/me";
pub const METRICS: &str = "/api/agent/admin/metrics";

/// The codes of a new sign-in: the device's and the person's.
pub async fn begin(server: &Server) -> (String, String) {
    let answer = request("POST", CODE).send(server.address).await;
    answer.expect(200);
    let data = answer.json()["data"].clone();
    (data["device_code"].as_str().unwrap().to_owned(), data["user_code"].as_str().unwrap().to_owned())
}

pub fn poll(server: &Server, device_code: &str) -> impl Future<Output = Answer> + Send + 'static {
    let (address, body) = (server.address, json!({ "device_code": device_code }));
    async move { request("POST", POLL).json(&body).send(address).await }
}

/// Checks an error in achilles' shape.
#[track_caller]
pub fn expect_failure(answer: &Answer, status: u16) -> String {
    answer.expect(status);
    let body = answer.json();
    assert_eq!((&body["success"], body.get("data")), (&json!(false), None), "{answer:?}");
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sign_in_begins_with_two_codes_and_waits() {
    let server = start(Options::default()).await;
    let answer = request("POST", CODE).send(server.address).await;
    answer.expect(200);
    let body = answer.json();
    assert_eq!(body["success"], true);
    let data = &body["data"];
    let device_code = data["device_code"].as_str().unwrap();
    assert!(device_code.len() == 64 && device_code.bytes().all(|b| b.is_ascii_hexdigit()));
    let user_code = data["user_code"].as_str().unwrap();
    assert!(user_code.len() == 9 && user_code.as_bytes()[4] == b'-');
    assert_eq!(data["verification_url"], "http://everkey.example/cli/verify");
    assert_eq!(
        (&data["expires_at"], &data["poll_interval"]),
        (&json!("2027-01-15T08:10:00.000Z"), &json!(2))
    );

    // However fast it polls, it is not slowed down: the contract has no such answer.
    for _ in 0..5 {
        assert_eq!(expect_failure(&poll(&server, device_code).await, 202), "authorization_pending");
    }
    server.clock.advance(Duration::from_millis(599_999));
    expect_failure(&poll(&server, device_code).await, 202);
    server.clock.advance(Duration::from_millis(1));
    expect_failure(&poll(&server, device_code).await, 410);
    expect_failure(&poll(&server, &"0".repeat(64)).await, 404);
}

#[tokio::test]
async fn bad_polls_and_refreshes_answer_in_achilles_shape() {
    let server = start(Options::without_limits()).await;
    let (device_code, user_code) = begin(&server).await;
    for body in
        [json!({}), json!({ "device_code": 7 }), json!({ "device_code": "" }), json!({ "device_code": null })]
    {
        expect_failure(&server.post(POLL, &body).await, 400);
    }
    let twice = format!(r#"{{"device_code":"{device_code}","device_code":"x"}}"#);
    let twice = request("POST", POLL).raw_json(twice.as_bytes()).send(server.address).await;
    expect_failure(&twice, 400);
    expect_failure(&request("POST", POLL).body(b"device_code=x").send(server.address).await, 415);
    expect_failure(&server.post(POLL, &json!({ "device_code": "x".repeat(20_000) })).await, 413);
    for other in [user_code, device_code.to_uppercase(), format!("{device_code}0"), "\u{0}".to_owned()] {
        expect_failure(&poll(&server, &other).await, 404);
    }
    let me = server.sign_in().await;
    for token in [json!("x"), json!(me.refresh), json!(me.access), json!("0".repeat(64)), json!("\u{0}")] {
        expect_failure(&server.post(REFRESH, &json!({ "refresh_token": token })).await, 401);
    }
    for body in [json!({}), json!({ "refresh_token": 7 })] {
        expect_failure(&server.post(REFRESH, &body).await, 400);
    }
    expect_failure(&poll(&server, &device_code).await, 202);
    // Nor did any of it use the first-party token up.
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_sign_ins_from_an_address_in_fifteen_minutes() {
    let server = start(Options::default()).await;
    let ask = |_| {
        let address = server.address;
        async move { request("POST", CODE).send(address).await }
    };
    let answers = burst(25, ask).await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (10, 15));
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    expect_failure(limited, 429);
    assert_eq!(limited.header("retry-after"), Some("900"));
    server.clock.advance(Duration::from_secs(900));
    ask(0).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_polls_from_an_address_in_a_minute() {
    let server = start(Options::default()).await;
    let (device_code, _) = begin(&server).await;
    let answers = burst(70, |_| poll(&server, &device_code)).await;
    assert_eq!((count(&answers, 202), count(&answers, 429)), (60, 10));
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.header("retry-after"), Some("60"));
    server.clock.advance(Duration::from_secs(60));
    expect_failure(&poll(&server, &device_code).await, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_refreshes_from_an_address_in_fifteen_minutes() {
    let server = start(Options::default()).await;
    let answers = burst(15, |_| {
        let ask = request("POST", REFRESH).json(&json!({ "refresh_token": "0".repeat(64) }));
        let address = server.address;
        async move { ask.send(address).await }
    })
    .await;
    assert_eq!((count(&answers, 401), count(&answers, 429)), (10, 5));
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.header("retry-after"), Some("900"));
}

#[tokio::test]
async fn a_token_that_opens_nothing_is_sent_to_the_front_page() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    for path in [ME, METRICS, "/api/agent/admin/agents?org_id=x", "/api/analytics/defense-score"] {
        for token in ["x", &me.access, &me.refresh] {
            let answer = server.get(path, token).await;
            answer.expect(302);
            assert_eq!((answer.header("location"), answer.body.as_str()), (Some("/"), ""));
        }
        let bare = request("GET", path).send(server.address).await;
        assert_eq!((bare.status, bare.header("location")), (302, Some("/")));
    }
    let unknown: Value = request("GET", "/api/nope").send(server.address).await.json();
    assert_eq!(unknown["code"], "not_found");
}
