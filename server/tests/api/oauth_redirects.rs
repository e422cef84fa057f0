//! Where the answers of the authorization endpoint go: only to addresses that the client registered.

use serde_json::json;

use crate::kit::authorize::{answer, ask, expect_page, led, value};
use crate::kit::browser::{Browser, signed_in};
use crate::kit::oauth::{REDIRECT, exchange};
use crate::kit::server::{Options, start};
use crate::kit::wire::{Answer, request};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn untrusted_requests_get_a_page_and_no_redirect() {
    let server = start(Options::without_limits()).await;
    let client = server.public_client().await;
    let several = server
        .client(&json!({
            "redirect_uris": ["http://127.0.0.1:3000/callback", "http://localhost:4000/callback", "https://a.example/cb?t=1"],
            "token_endpoint_auth_method": "none",
        }))
        .await;
    for browser in [&mut Browser::new(), &mut signed_in(&server, ADA).await] {
        let mut page = async |path: String| {
            expect_page(&browser.get(&server, &path).await, 400);
        };
        page("/authorize".to_owned()).await;
        for (name, value) in [
            ("client_id", "-"),
            ("client_id", "nobody"),
            ("client_id", "' OR 1=1"),
            ("redirect_uri", "-"),
            ("redirect_uri", "https://evil.example/cb"),
            ("redirect_uri", "https://app.example/cb/"),
            ("redirect_uri", "https://app.example/cb/../cb"),
            ("redirect_uri", "https://app.example/cbx"),
            ("redirect_uri", "https://app.example/CB"),
            ("redirect_uri", "https://APP.example/cb"),
            ("redirect_uri", "HTTPS://app.example/cb"),
            ("redirect_uri", "https://app.example:443/cb"),
            ("redirect_uri", "https://app.example:8443/cb"),
            ("redirect_uri", "https://app.example/cb?x=1"),
            ("redirect_uri", "https://app.example/cb#"),
            ("redirect_uri", "https://app.example/cb#frag"),
            ("redirect_uri", "https://app.example@evil.example/cb"),
            ("redirect_uri", "https://evil@app.example/cb"),
            ("redirect_uri", "https://app.example.evil.example/cb"),
            ("redirect_uri", "https://evil.example/?https://app.example/cb"),
            ("redirect_uri", "http://app.example/cb"),
            ("redirect_uri", "//app.example/cb"),
            ("redirect_uri", "https:app.example/cb"),
            ("redirect_uri", "https://app.example\\@evil.example/cb"),
            ("redirect_uri", "https://app.example/cb\r\nlocation: https://evil.example"),
            ("redirect_uri", "javascript:alert(1)"),
        ] {
            page(ask(&client, &[(name, value)])).await;
        }
        for twice in ["client_id", "redirect_uri"] {
            let value =
                if twice == "client_id" { client.id.as_str() } else { "https%3A%2F%2Fapp.example%2Fcb" };
            page(format!("{}&{twice}={value}", ask(&client, &[]))).await;
        }
        page(ask(&client, &[("state", &"x".repeat(4000))])).await;
        for asked in [
            "http://localhost:3000/callback",
            "http://127.0.0.1:4000/callback/",
            "http://[::1]:3000/callback",
            "http://127.0.0.2:3000/callback",
            "http://localhost:4001/callback",
            "http://127.0.0.1:4000@evil.example/callback",
            "https://127.0.0.1:3000/callback",
            "https://a.example/cb",
            "https://a.example/cb?t=2",
        ] {
            page(ask(&several, &[("redirect_uri", asked)])).await;
        }
    }
}

#[tokio::test]
async fn the_port_of_a_literal_loopback_address_is_free() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let registered = ["http://127.0.0.1:3000/callback", "https://a.example/cb?t=1", "com.example.app:/cb"];
    let client =
        server.client(&json!({ "redirect_uris": registered, "token_endpoint_auth_method": "none" })).await;
    for (asked, source) in [
        ("http://127.0.0.1:51234/callback", "http://127.0.0.1:51234"),
        ("https://a.example/cb?t=1", "https://a.example"),
        ("com.example.app:/cb", "com.example.app:"),
    ] {
        let path = ask(&client, &[("redirect_uri", asked)]);
        let page = browser.get(&server, &path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("form-action 'self' {source};")), "{policy}");
        let allowed = answer(&mut browser, &server, &path, "allow").await;
        let place = allowed.header("location").unwrap();
        assert!(place.starts_with(asked), "{place}");
        let code = value(&allowed, "code").unwrap();
        let wrong =
            server.exchange(&client, &code, &[("redirect_uri", "http://127.0.0.1:3000/callback")]).await;
        wrong.expect_oauth_error(400, "invalid_grant");
        exchange(&client, &code, &[("redirect_uri", asked)]).send(server.address).await.expect(200);
    }
}

/// A policy has no way to name an IPv6 address, and would have to let a form lead anywhere.
#[tokio::test]
async fn a_link_leads_back_to_an_ipv6_address() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let body = json!({ "redirect_uris": ["http://[::1]/cb"], "token_endpoint_auth_method": "none" });
    let client = server.client(&body).await;
    let asked = "http://[::1]:51234/cb";
    let path = ask(&client, &[("redirect_uri", asked)]);
    let policy = browser.get(&server, &path).await.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let page = answer(&mut browser, &server, &path, "allow").await;
    let place = page.expect(200).body.split_once("href=\"http://[::1]:51234/cb?").expect("a link").1;
    let query = place.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let code = query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap();
    exchange(&client, code, &[("redirect_uri", asked)]).send(server.address).await.expect(200);
}

#[tokio::test]
async fn no_answer_goes_to_the_server_itself() {
    let server = start(Options::without_limits()).await;
    for own in ["http://everkey.example/signin?next=x", "https://app.example/cb?code=1&state=2"] {
        let body = json!({ "redirect_uris": [own], "token_endpoint_auth_method": "none" });
        let refused = request("POST", "/register").json(&body).send(server.address).await;
        refused.expect_oauth_error(400, "invalid_redirect_uri");
    }
}

/// A page, from which nobody is sent anywhere unseen; a link on it leads back to the app.
#[track_caller]
fn unseen(answer: &Answer) {
    expect_page(answer, 400);
    assert!(
        answer.body.contains("https://app.example/") && !answer.body.contains("http-equiv"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn errors_go_by_themselves_only_to_apps_that_were_allowed() {
    let server = start(Options::without_limits()).await;
    let client = server.public_client().await;
    let device_only = server
        .client(&json!({
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none", "response_types": [],
        }))
        .await;
    let narrow = server
        .client(
            &json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", "scope": "profile" }),
        )
        .await;
    let mut browser = signed_in(&server, "ada@example.com").await;
    let mut stranger = Browser::new();
    let silent = ask(&client, &[("prompt", "none")]);
    unseen(&browser.get(&server, &silent).await);
    for (client, scope) in [(&client, "openid"), (&narrow, "profile")] {
        let allowed = answer(&mut browser, &server, &ask(client, &[("scope", scope)]), "allow").await;
        server.exchange(client, &value(&allowed, "code").unwrap(), &[]).await.expect(200);
    }
    let plain = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (client, change, error) in [
        (&client, [("response_type", "-")], "invalid_request"),
        (&client, [("response_type", "token")], "unsupported_response_type"),
        (&client, [("response_type", "code id_token")], "unsupported_response_type"),
        (&client, [("response_mode", "fragment")], "invalid_request"),
        (&client, [("code_challenge", "-")], "invalid_request"),
        (&client, [("code_challenge", "short")], "invalid_request"),
        (&client, [("code_challenge_method", "-")], "invalid_request"),
        (&client, [("code_challenge_method", "plain")], "invalid_request"),
        (&client, [("code_challenge_method", "s256")], "invalid_request"),
        (&client, [("scope", "admin")], "invalid_scope"),
        (&client, [("scope", "open\"id")], "invalid_scope"),
        (&client, [("prompt", "none")], "consent_required"),
        (&client, [("prompt", "none login")], "invalid_request"),
        (&client, [("prompt", "create")], "invalid_request"),
        (&client, [("max_age", "soon")], "invalid_request"),
        (&client, [("request", "a.b.c")], "request_not_supported"),
        (&client, [("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
        (&narrow, [("scope", "openid email")], "invalid_scope"),
    ] {
        // Whoever is not signed in, or has never allowed it anything, is told first.
        let told = stranger.get(&server, &ask(client, &change)).await;
        unseen(&told);
        assert!(told.body.contains("app.example"), "{told:?}");
        let answer = browser.get(&server, &ask(client, &change)).await;
        assert_eq!(led(&answer).0, REDIRECT);
        assert_eq!(value(&answer, "error").as_deref(), Some(error), "{change:?}");
        assert_eq!(value(&answer, "state").as_deref(), Some("s1"));
        assert_eq!(value(&answer, "iss").as_deref(), Some("http://everkey.example"));
        assert!(value(&answer, "error_description").is_some() && value(&answer, "code").is_none());
    }
    unseen(&browser.get(&server, &ask(&device_only, &[])).await);
    let both = [("code_challenge_method", "plain"), ("code_challenge", plain)];
    assert_eq!(
        value(&browser.get(&server, &ask(&client, &both)).await, "error").as_deref(),
        Some("invalid_request")
    );
    for twice in ["scope=openid", "state=s2", "nonce=n2", "code_challenge=x", "x=1&x=2", "state="] {
        let answer = browser.get(&server, &format!("{}&{twice}", ask(&client, &[]))).await;
        assert_eq!(value(&answer, "error").as_deref(), Some("invalid_request"), "{twice}");
        let state = value(&answer, "state");
        assert_eq!(state.as_deref(), if twice.starts_with("state") { None } else { Some("s1") });
    }
}

#[tokio::test]
async fn any_state_comes_back_whole_and_injects_nothing() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    for state in [
        "a b+c&code=evil&iss=evil#frag",
        "x\r\nSet-Cookie: a=b\r\n\r\n<html>",
        "\"><script>alert(1)</script>",
        "é\u{202e}✓\0",
        &"y".repeat(2000),
    ] {
        let allowed = answer(&mut browser, &server, &ask(&client, &[("state", state)]), "allow").await;
        assert_eq!(value(&allowed, "state").as_deref(), Some(state));
        assert_ne!(value(&allowed, "code").as_deref(), Some("evil"));
        assert_eq!(value(&allowed, "iss").as_deref(), Some("http://everkey.example"));
        assert_eq!(allowed.all("set-cookie").count(), 0);
        let page = browser.get(&server, &ask(&client, &[("state", state)])).await;
        assert!(!page.body.contains("<script>"));
    }
    let without = answer(&mut browser, &server, &ask(&client, &[("state", "-")]), "allow").await;
    assert_eq!(value(&without, "state"), None);
}
