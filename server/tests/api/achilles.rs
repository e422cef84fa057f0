//! achilles' routes: its answers, its limits, and what its tokens open.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::achilles::{
    CODE, ME, METRICS, POLL, REFRESH, begin, claims, cli, expect_failure, poll, refresh,
};
use crate::kit::browser::{Browser, signed_in};
use crate::kit::burst::{burst, count};
use crate::kit::server::{Options, SignedIn, start};
use crate::kit::wire::request;

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

#[tokio::test]
async fn neighbours_poll_and_refresh_whatever_one_of_them_does() {
    let server = start(Options::default()).await;
    let (device_code, _) = begin(&server).await;
    for _ in 0..65 {
        poll(&server, &"0".repeat(64)).await;
    }
    expect_failure(&poll(&server, &"0".repeat(64)).await, 429);
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
async fn a_useless_token_is_sent_to_the_front_page() {
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

const ADA: &str = "ada@example.com";

fn text(data: &Value, field: &str) -> String {
    data[field].as_str().unwrap_or_else(|| panic!("no {field} in {data}")).to_owned()
}

#[tokio::test]
async fn an_approved_cli_gets_its_tokens_and_is_let_in() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    let data = cli(&server, &mut browser).await;
    assert_eq!((&data["org_id"], &data["role"]), (&json!("org_default"), &json!("explorer")));
    assert_eq!((&data["email"], data.get("display_name")), (&json!(ADA), None));
    assert_eq!(data["expires_at"], "2027-01-15T09:00:00.000Z");
    assert_eq!(data["refresh_retry"], json!({ "v": 1, "until": "used" }));
    let refresh_token = text(&data, "refresh_token");
    assert!(refresh_token.len() == 64 && refresh_token.bytes().all(|b| b.is_ascii_hexdigit()));
    let access = text(&data, "access_token");
    let said = claims(&access);
    assert_eq!((&said["type"], &said["sub"]), (&json!("cli"), &data["user_id"]));
    assert_eq!((&said["org_id"], &said["role"]), (&data["org_id"], &data["role"]));

    let me = server.get(ME, &access).await;
    assert_eq!(me.expect(200).json()["data"]["email"], ADA);
    assert_eq!(server.get(METRICS, &access).await.expect(200).json()["data"]["total"], 0);
    expect_failure(&server.get("/api/agent/admin/agents", &access).await, 404);
    // It opens nothing that is not achilles'.
    server.get("/v0/auth/me", &access).await.expect(401);
    server.get("/api/v1/tokens", &access).await.expect(401);
    server.get("/userinfo", &access).await.expect(401);
    server.clock.advance(Duration::from_secs(3600));
    assert_eq!(server.get(ME, &access).await.status, 302);
}

#[tokio::test]
async fn its_organisation_and_role_are_those_of_its_oldest_workspace() {
    let server = start(Options::without_limits()).await;
    let me: SignedIn = server.sign_in().await;
    let make = request("POST", "/v1/workspaces").bearer(&me.access).json(&json!({ "name": "first" }));
    let workspace = make.send(server.address).await;
    assert!(workspace.status < 300, "{workspace:?}");
    let mut browser = Browser::new();
    browser.sign_in(&server, ADA, 2).await;
    let data = cli(&server, &mut browser).await;
    assert_eq!(data["role"], "admin");
    assert!(workspace.body.contains(&text(&data, "org_id")), "{workspace:?} {data}");
}

#[tokio::test]
async fn a_repeat_after_rotation_is_a_plain_401() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let first = text(&cli(&server, &mut browser).await, "refresh_token");
    server.clock.advance(Duration::from_secs(3000));
    let rotated = refresh(&server, &first, None).await;
    rotated.expect(200);
    let data = rotated.json()["data"].clone();
    assert_eq!(data["expires_at"], "2027-01-15T09:50:00.000Z");
    let second = text(&data, "refresh_token");
    assert!(second.len() == 64 && second != first);

    for _ in 0..2 {
        expect_failure(&refresh(&server, &first, None).await, 401);
    }
    server.get(ME, &text(&data, "access_token")).await.expect(200);
    refresh(&server, &second, None).await.expect(200);
    expect_failure(&refresh(&server, &second, None).await, 401);
    assert_eq!(server.events("replay_revoked_all").await, 0);
    browser.get(&server, "/dashboard/sessions").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refreshes_at_once_one_wins_and_stays_good() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = text(&cli(&server, &mut browser).await, "refresh_token");
    let answers = burst(12, |_| refresh(&server, &token, None)).await;
    assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 11), "{answers:?}");
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap().json()["data"].clone();
    refresh(&server, &text(&winner, "refresh_token"), None).await.expect(200);
}

#[tokio::test]
async fn the_same_key_asks_for_a_lost_answer_again() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = text(&cli(&server, &mut browser).await, "refresh_token");
    let first = refresh(&server, &token, Some(1)).await;
    let again = refresh(&server, &token, Some(1)).await;
    let next = text(&first.json()["data"], "refresh_token");
    assert_eq!(text(&again.json()["data"], "refresh_token"), next);
    let race = refresh(&server, &token, Some(2)).await;
    expect_failure(&race, 409);
    assert_eq!(
        (race.text("code").as_str(), &race.json()["attempt_consumed"]),
        ("rotation_in_progress", &json!(false))
    );
    assert_eq!(first.json()["data"]["refresh_retry"], json!({ "v": 1, "until": "used" }));
    refresh(&server, &next, Some(3)).await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    expect_failure(&refresh(&server, &token, Some(1)).await, 401);
    expect_failure(&refresh(&server, &token, None).await, 401);
    assert_eq!(server.events("replay_revoked_all").await, 0);
}

#[tokio::test]
async fn its_refresh_token_is_of_no_use_elsewhere() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = text(&cli(&server, &mut browser).await, "refresh_token");
    let client = server.device_client("a tool").await;
    server.post("/v0/auth/token/refresh", &json!({ "refresh_token": token })).await.expect(401);
    server.oauth_refresh(&client, &token, &[]).await.expect(400);
    refresh(&server, &token, None).await.expect(200);
}

#[tokio::test]
async fn a_denied_sign_in_ends() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (device_code, user_code) = begin(&server).await;
    browser.decide(&server, &user_code, "deny").await;
    assert_eq!(expect_failure(&poll(&server, &device_code).await, 410), "access_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_polls_at_once_exactly_one_gets_the_tokens() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (device_code, user_code) = begin(&server).await;
    browser.decide(&server, &user_code, "approve").await;
    let answers = burst(16, |_| poll(&server, &device_code)).await;
    assert_eq!((count(&answers, 200), count(&answers, 404)), (1, 15), "{answers:?}");
}
