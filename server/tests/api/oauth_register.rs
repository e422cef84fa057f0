//! Dynamic client registration, and what it must not let in.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::oauth::REDIRECT;
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

fn with(change: Value) -> Value {
    let mut metadata = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
    metadata.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    metadata
}

#[tokio::test]
async fn only_confidential_clients_get_a_secret_once() {
    let server = start(Options::without_limits()).await;
    let public = server.register(&with(json!({ "client_name": "dot-ai" }))).await;
    public.expect(201);
    let view = public.json();
    assert!(view.get("client_secret").is_none() && view.get("client_secret_expires_at").is_none());
    assert_eq!(view["grant_types"], json!(["authorization_code"]));
    assert_eq!(view["response_types"], json!(["code"]));
    assert_eq!(view["client_id_issued_at"], 1_800_000_000);
    for method in ["client_secret_basic", "client_secret_post"] {
        let answer = server.register(&with(json!({ "token_endpoint_auth_method": method }))).await;
        answer.expect(201);
        assert_eq!(answer.text("client_secret").len(), 43);
        assert_eq!(answer.json()["client_secret_expires_at"], 0);
    }
    let unsaid = server.register(&json!({ "redirect_uris": [REDIRECT] })).await;
    assert_eq!(unsaid.text("token_endpoint_auth_method"), "client_secret_basic");
    assert_eq!(server.events("client_registered").await, 4);
}

#[tokio::test]
async fn the_secret_is_not_in_the_database() {
    let server = start(Options::without_limits()).await;
    let answer = server.register(&with(json!({ "token_endpoint_auth_method": "client_secret_post" }))).await;
    let mut tx = server.store.begin_reading().await.unwrap();
    let stored = tx.client(&answer.text("client_id")).await.unwrap().unwrap();
    assert!(!format!("{stored:?}").contains(&answer.text("client_secret")));
    assert!(stored.secret.is_some());
}

#[tokio::test]
async fn redirect_addresses_that_could_lead_astray_are_refused() {
    let server = start(Options::without_limits()).await;
    for bad in [
        "",
        "/cb",
        "http://app.example/cb",
        "https://app.example/cb#frag",
        "https://app.example/cb#",
        "https://user:pw@app.example/cb",
        "https://app.example@evil.example/cb",
        "https://app.example\\@evil.example/cb",
        "https://app.example/a/../cb",
        "https://app.example/cb\r\nset-cookie: x=y",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://0.0.0.0/cb",
        "http://127.1/cb",
        "javascript:alert(1)",
        "data:text/html,hi",
        "app:/cb",
        "file:///etc/passwd",
        &format!("https://app.example/{}", "x".repeat(1000)),
    ] {
        let answer = server.register(&with(json!({ "redirect_uris": [REDIRECT, bad] }))).await;
        answer.expect_oauth_error(400, "invalid_redirect_uri");
        assert!(bad.len() < 8 || !answer.body.contains(bad), "nothing that was sent is repeated");
    }
    let many: Vec<_> = (0..11).map(|n| format!("https://app.example/{n}")).collect();
    for bad in [json!([]), json!(many)] {
        let answer = server.register(&with(json!({ "redirect_uris": bad }))).await;
        answer.expect_oauth_error(400, "invalid_redirect_uri");
    }
    for good in
        ["http://127.0.0.1:3000/callback", "http://[::1]/cb", "http://localhost:1/cb", "com.example.app:/cb"]
    {
        server.register(&with(json!({ "redirect_uris": [good] }))).await.expect(201);
    }
}

#[tokio::test]
async fn wrong_or_unknown_client_metadata_is_refused() {
    let server = start(Options::without_limits()).await;
    for change in [
        json!({ "grant_types": ["implicit"] }),
        json!({ "grant_types": ["client_credentials"] }),
        json!({ "grant_types": ["refresh_token"] }),
        json!({ "grant_types": "authorization_code" }),
        json!({ "response_types": ["token"] }),
        json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "token_endpoint_auth_method": 7 }),
        json!({ "redirect_uris": REDIRECT }),
        json!({ "redirect_uris": [7] }),
        json!({ "client_name": "x".repeat(81) }),
        json!({ "client_name": "a\u{202e}b" }),
        json!({ "client_name": ["a"] }),
        json!({ "scope": "admin" }),
        json!({ "scope": ["openid"] }),
    ] {
        let answer = server.register(&with(change.clone())).await;
        answer.expect_oauth_error(400, "invalid_client_metadata");
    }
    let send = async |body: &[u8]| request("POST", "/register").raw_json(body).send(server.address).await;
    for body in ["", "[]", "null", "{", "[[\"https://app.example/cb\"]]"] {
        send(body.as_bytes()).await.expect_oauth_error(400, "invalid_client_metadata");
    }
    let twice = br#"{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}"#;
    send(twice).await.expect_oauth_error(400, "invalid_client_metadata");
    let large = format!(r#"{{"redirect_uris":["{REDIRECT}"],"x":"{}"}}"#, "y".repeat(17_000));
    send(large.as_bytes()).await.expect_oauth_error(413, "invalid_request");
    let form = request("POST", "/register").form(&[("redirect_uris", REDIRECT)]).send(server.address).await;
    form.expect_oauth_error(415, "invalid_request");
    assert_eq!(server.events("client_registered").await, 0);
}

#[tokio::test]
async fn twenty_clients_an_hour_register_from_one_address() {
    let server = std::sync::Arc::new(start(Options::default()).await);
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.register(&with(json!({}))).await })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == 201 {
            made += 1;
        } else {
            answer.expect_oauth_error(429, "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("3600"));
        }
    }
    assert_eq!((made, server.events("client_registered").await), (20, 20));
    server.clock.advance(Duration::from_secs(3600));
    server.register(&with(json!({}))).await.expect(201);
}
