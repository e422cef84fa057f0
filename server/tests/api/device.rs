//! Device sign-ins of OAuth clients (RFC 8628): each rule, and attempts to break it.

use std::time::Duration;

use everkey_server::db::users::AccountStatus;
use serde_json::json;

use crate::kit::achilles;
use crate::kit::browser::{Browser, signed_in};
use crate::kit::burst::{burst, count};
use crate::kit::device::{GRANT, authorization, expect_oauth, field, token_request};
use crate::kit::oauth::Client;
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_device_signs_in_when_a_person_approves() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let codes = server.device_codes(&client, "openid email").await;
    let (device, user) = (field(&codes, "device_code"), field(&codes, "user_code"));
    assert_eq!(codes["verification_uri"], "http://everkey.example/device");
    let complete = format!("http://everkey.example/device?user_code={user}");
    assert_eq!(codes["verification_uri_complete"], complete);
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(600), &json!(5)));
    assert_eq!(device.len(), 64);

    expect_oauth(&server.device_poll(&client, &device).await, 400, "authorization_pending");
    let mut browser = signed_in(&server, ADA).await;
    browser.decide(&server, &user.to_lowercase().replace('-', " "), "approve").await;
    server.clock.advance(Duration::from_secs(5));
    let answer = server.device_poll(&client, &device).await;
    answer.expect(200);
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("openid email")));
    assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string());
    let whose = server.get("/userinfo", tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(whose.expect(200).json()["email"], ADA);
    server.oauth_refresh(&client, tokens["refresh_token"].as_str().unwrap(), &[]).await.expect(200);

    // The code is used up, and trying again revokes nothing.
    expect_oauth(&server.device_poll(&client, &device).await, 400, "invalid_grant");
    server.get("/userinfo", tokens["access_token"].as_str().unwrap()).await.expect(200);
    assert_eq!((server.events("device_approved").await, server.events("login").await), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_polls_at_once_exactly_one_gets_the_tokens() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let mut browser = signed_in(&server, ADA).await;
    let codes = server.device_codes(&client, "email").await;
    browser.decide(&server, &field(&codes, "user_code"), "approve").await;
    let device = field(&codes, "device_code");
    let answers = burst(16, |_| server.device_poll(&client, &device)).await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 15), "{answers:?}");
    answers.iter().filter(|answer| answer.status == 400).for_each(|answer| {
        expect_oauth(answer, 400, "invalid_grant");
    });
    assert_eq!(server.events("login").await, 2, "the browser's and the device's");
}

#[tokio::test]
async fn who_polls_too_early_is_slowed_down_for_good() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let codes = server.device_codes(&client, "email").await;
    let device = field(&codes, "device_code");
    for (wait, error) in [
        (0, "authorization_pending"),
        (4_700, "slow_down"),
        (9_700, "slow_down"),
        (14_700, "slow_down"),
        (20_000, "authorization_pending"),
        (19_000, "slow_down"),
        (25_000, "authorization_pending"),
    ] {
        server.clock.advance(Duration::from_millis(wait));
        expect_oauth(&server.device_poll(&client, &device).await, 400, error);
    }
}

#[tokio::test]
async fn codes_expire_whether_or_not_they_were_approved() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let mut browser = signed_in(&server, ADA).await;
    let (pending, approved, late) = (
        server.device_codes(&client, "email").await,
        server.device_codes(&client, "email").await,
        server.device_codes(&client, "email").await,
    );
    server.clock.advance(Duration::from_millis(599_999));
    browser.decide(&server, &field(&approved, "user_code"), "approve").await;
    let page = browser.type_code(&server, &field(&late, "user_code")).await;
    server.clock.advance(Duration::from_millis(1));
    for codes in [&pending, &approved] {
        expect_oauth(&server.device_poll(&client, &field(codes, "device_code")).await, 400, "expired_token");
    }
    browser.say(&server, &page, "approve").await.expect(410);
    browser.type_code(&server, &field(&pending, "user_code")).await.expect(400);
    expect_oauth(&server.device_poll(&client, &field(&late, "device_code")).await, 400, "expired_token");
    assert_eq!(server.events("login").await, 1);
}

#[tokio::test]
async fn the_first_verdict_stands() {
    let server = start(Options::without_limits()).await;
    let client = server.device_client("a tool").await;
    let mut ada = signed_in(&server, ADA).await;
    let codes = server.device_codes(&client, "email").await;
    let page = ada.type_code(&server, &field(&codes, "user_code")).await;
    ada.say(&server, &page, "deny").await.expect(200);
    ada.say(&server, &page, "deny").await.expect(200);
    ada.say(&server, &page, "approve").await.expect(409);
    expect_oauth(&server.device_poll(&client, &field(&codes, "device_code")).await, 400, "access_denied");

    let codes = server.device_codes(&client, "email").await;
    let mut bob = Browser::new();
    bob.sign_in(&server, "bob@example.com", 2).await;
    let (hers, his) = (
        ada.type_code(&server, &field(&codes, "user_code")).await,
        bob.type_code(&server, &field(&codes, "user_code")).await,
    );
    ada.say(&server, &hers, "approve").await.expect(200);
    ada.say(&server, &hers, "approve").await.expect(200);
    bob.say(&server, &his, "approve").await.expect(409);
    bob.say(&server, &his, "deny").await.expect(409);
    ada.say(&server, &hers, "deny").await.expect(409);
    bob.type_code(&server, &field(&codes, "user_code")).await.expect(400);
    let tokens = server.device_poll(&client, &field(&codes, "device_code")).await;
    tokens.expect(200);
    let whose = server.get("/userinfo", &tokens.text("access_token")).await;
    assert_eq!(whose.json()["email"], ADA);
    assert_eq!((server.events("device_approved").await, server.events("device_denied").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_and_denying_at_once_has_one_outcome() {
    let server = start(Options::without_limits()).await;
    let client = server.device_client("a tool").await;
    let mut browser = signed_in(&server, ADA).await;
    let codes = server.device_codes(&client, "email").await;
    let page = browser.type_code(&server, &field(&codes, "user_code")).await;
    let (token, grant) = (crate::kit::browser::token_in(&page), crate::kit::device::reference(&page));
    let answers = burst(8, |n| {
        let verdict = if n % 2 == 0 { "approve" } else { "deny" };
        let fields = [("csrf", token.as_str()), ("grant", &grant), ("verdict", verdict)];
        let say = browser.request("POST", "/device/decision").form(&fields);
        let address = server.address;
        async move { say.send(address).await }
    })
    .await;
    assert_eq!((count(&answers, 200), count(&answers, 409)), (4, 4), "{answers:?}");
    let decided = server.events("device_approved").await + server.events("device_denied").await;
    assert_eq!(decided, 1);
}

#[tokio::test]
async fn a_code_works_only_for_its_client() {
    let server = start(Options::without_limits()).await;
    let (one, other) = (server.device_client("one").await, server.device_client("other").await);
    let mut browser = signed_in(&server, ADA).await;
    let codes = server.device_codes(&one, "email").await;
    let device = field(&codes, "device_code");
    let (cli_device, cli_user) = achilles::begin(&server).await;
    browser.decide(&server, &field(&codes, "user_code"), "approve").await;
    browser.decide(&server, &cli_user, "approve").await;
    // Neither another client, nor achilles' routes, nor the reverse: and nothing is used up.
    expect_oauth(&server.device_poll(&other, &device).await, 400, "invalid_grant");
    achilles::expect_failure(&achilles::poll(&server, &device).await, 404);
    expect_oauth(&server.device_poll(&one, &cli_device).await, 400, "invalid_grant");
    expect_oauth(&server.device_poll(&one, &field(&codes, "user_code")).await, 400, "invalid_grant");
    let nobody = Client { id: "nobody".to_owned(), secret: None };
    expect_oauth(&server.device_poll(&nobody, &device).await, 401, "invalid_client");
    server.device_poll(&one, &device).await.expect(200);
    achilles::poll(&server, &cli_device).await.expect(200);
}

#[tokio::test]
async fn only_clients_that_registered_for_it_begin() {
    let server = start(Options::without_limits()).await;
    let without = server.public_client().await;
    expect_oauth(&authorization(&without, "email").send(server.address).await, 400, "unauthorized_client");
    expect_oauth(&server.device_poll(&without, &"0".repeat(64)).await, 400, "unauthorized_client");
    let confidential = server
        .client(&json!({
            "token_endpoint_auth_method": "client_secret_post", "grant_types": [GRANT], "response_types": [],
        }))
        .await;
    let codes = server.device_codes(&confidential, "email").await;
    for secret in [None, Some("wrong".to_owned())] {
        let forged = Client { id: confidential.id.clone(), secret };
        expect_oauth(&authorization(&forged, "email").send(server.address).await, 401, "invalid_client");
        let poll = server.device_poll(&forged, &field(&codes, "device_code")).await;
        expect_oauth(&poll, 401, "invalid_client");
    }
    let mut browser = signed_in(&server, ADA).await;
    browser.decide(&server, &field(&codes, "user_code"), "approve").await;
    let tokens = server.device_poll(&confidential, &field(&codes, "device_code")).await;
    assert!(tokens.expect(200).json().get("refresh_token").is_none(), "it did not register for refreshes");
}

#[tokio::test]
async fn bad_requests_begin_nothing() {
    let server = start(Options::without_limits()).await;
    let client = server.device_client("a tool").await;
    for scope in ["nonsense", "a\"b", "email\u{0}"] {
        expect_oauth(&authorization(&client, scope).send(server.address).await, 400, "invalid_scope");
    }
    let twice = [("client_id", client.id.as_str()), ("client_id", client.id.as_str())];
    let twice = request("POST", "/device_authorization").form(&twice).send(server.address).await;
    expect_oauth(&twice, 400, "invalid_request");
    let none =
        request("POST", "/device_authorization").form(&[("scope", "email")]).send(server.address).await;
    expect_oauth(&none, 401, "invalid_client");
    let body = json!({ "client_id": client.id });
    expect_oauth(&server.post("/device_authorization", &body).await, 415, "invalid_request");
    for code in ["", "x", "\u{0}"] {
        let answer = token_request(&client, code).send(server.address).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let without = server.device_codes(&client, "").await;
    assert!(without["user_code"].is_string(), "a scope may be left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_sign_ins_from_an_address_in_fifteen_minutes() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let answers = burst(15, |_| {
        let (ask, address) = (authorization(&client, "email"), server.address);
        async move { ask.send(address).await }
    })
    .await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (10, 5));
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.header("retry-after"), Some("900"));
}

#[tokio::test]
async fn whoever_is_disabled_between_approval_and_poll_gets_nothing() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let me = server.sign_in().await;
    let mut browser = Browser::new();
    server.clock.advance(Duration::from_secs(30));
    browser.sign_in(&server, ADA, 2).await;
    let codes = server.device_codes(&client, "email").await;
    browser.decide(&server, &field(&codes, "user_code"), "approve").await;
    let mut tx = server.store.begin().await.unwrap();
    tx.set_status(&me.user_id, AccountStatus::Disabled).await.unwrap();
    tx.commit().await.unwrap();
    expect_oauth(&server.device_poll(&client, &field(&codes, "device_code")).await, 400, "access_denied");
}

#[tokio::test]
async fn neither_code_is_kept_in_clear() {
    let server = start(Options::default()).await;
    let client = server.device_client("a tool").await;
    let codes = server.device_codes(&client, "email").await;
    let (device, user) = (field(&codes, "device_code"), field(&codes, "user_code"));
    let bare = user.replace('-', "");
    for (name, bytes) in crate::kit::room::everything_in(server.folder()).await {
        for secret in [&device, &user, &bare] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {name}");
        }
    }
}
