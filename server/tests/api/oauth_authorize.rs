//! The authorization endpoint: who may ask, what the user sees, and where the answer goes.

use std::time::Duration;

use serde_json::json;

use crate::browsing::{Browser, between, signed_in, token_in};
use crate::harness::{Options, Server, start};
use crate::oauth_kit::{CHALLENGE, Client, REDIRECT, exchange, fields};
use crate::wire::{Answer, request};

const ADA: &str = "ada@example.com";

/// The address of a right request, but for what `change` says; the value `-` leaves a parameter out.
pub fn ask(client: &Client, change: &[(&str, &str)]) -> String {
    let base = [
        ("response_type", "code"),
        ("client_id", client.id.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "openid email"),
        ("state", "s1"),
        ("nonce", "n1"),
    ];
    let query =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields(&base, change)).finish();
    format!("/authorize?{query}")
}

/// Where an answer leads, and with which parameters.
#[track_caller]
fn led(answer: &Answer) -> (String, Vec<(String, String)>) {
    answer.expect(303);
    let url = url::Url::parse(answer.header("location").unwrap()).unwrap();
    let pairs = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    (url.as_str().split('?').next().unwrap().to_owned(), pairs)
}

#[track_caller]
fn value(answer: &Answer, name: &str) -> Option<String> {
    let (_, pairs) = led(answer);
    let mut found = pairs.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    let first = found.next();
    assert!(found.next().is_none(), "{name} twice in {answer:?}");
    first
}

/// The page asks; the user answers.
async fn answer(browser: &mut Browser, server: &Server, ask: &str, answer: &str) -> Answer {
    let page = browser.get(server, ask).await;
    page.expect(200);
    let action = between(&page.body, "method=\"post\" action=\"", "\"")
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let token = token_in(&page);
    browser.post(server, &action, &[("csrf", &token), ("answer", answer)]).await
}

#[track_caller]
fn expect_page(answer: &Answer, status: u16) {
    answer.expect(status);
    assert!(answer.header("location").is_none(), "{answer:?}");
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
}

#[tokio::test]
async fn a_user_who_allows_it_sends_a_code_that_becomes_tokens() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    let page = browser.get(&server, &ask(&client, &[])).await;
    page.expect(200);
    for told in
        ["a tool", "name it gave itself", "app.example", "see your email address", "stay signed in", ADA]
    {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    assert!(!page.body.contains("see your name"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));

    let allowed = answer(&mut browser, &server, &ask(&client, &[]), "allow").await;
    assert_eq!(led(&allowed).0, REDIRECT);
    assert_eq!(value(&allowed, "state").as_deref(), Some("s1"));
    assert_eq!(value(&allowed, "iss").as_deref(), Some("http://everkey.example"));
    assert_eq!(allowed.header("referrer-policy"), Some("no-referrer"));
    let code = value(&allowed, "code").unwrap();
    let tokens = server.exchange(&client, &code, &[]).await;
    tokens.expect(200);
    assert_eq!(tokens.text("scope"), "openid email");
    let user = request("GET", "/userinfo").bearer(&tokens.text("access_token")).send(server.address).await;
    assert_eq!(user.text("email"), ADA);
    assert_eq!((server.events("consent_given").await, server.events("consent_refused").await), (1, 0));
}

#[tokio::test]
async fn looking_never_approves_and_denying_gives_no_code() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    for extra in [[("answer", "allow")], [("approve", "1")], [("prompt", "consent")]] {
        browser.get(&server, &ask(&client, &extra)).await.expect(200);
    }
    let denied = answer(&mut browser, &server, &ask(&client, &[]), "deny").await;
    assert_eq!(value(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(value(&denied, "state").as_deref(), Some("s1"));
    assert_eq!(value(&denied, "iss").as_deref(), Some("http://everkey.example"));
    assert_eq!(value(&denied, "code"), None);
    for odd in ["", "ALLOW", "allow "] {
        expect_page(&answer(&mut browser, &server, &ask(&client, &[]), odd).await, 403);
    }
    assert_eq!((server.events("consent_given").await, server.events("consent_refused").await), (0, 1));
    browser.get(&server, &ask(&client, &[])).await.expect(200);
}

#[tokio::test]
async fn an_answer_that_does_not_come_from_the_page_counts_for_nothing() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    let here = ask(&client, &[]);
    let token = browser.token(&server, &here).await;
    let other = {
        let mut other = Browser::new();
        other.sign_in(&server, "eve@example.com", 2).await;
        other.token(&server, &here).await
    };
    for form in [
        vec![("answer", "allow")],
        vec![("csrf", ""), ("answer", "allow")],
        vec![("csrf", &other), ("answer", "allow")],
    ] {
        expect_page(&browser.post(&server, &here, &form).await, 403);
    }
    let form = [("csrf", token.as_str()), ("answer", "allow")];
    for (name, value) in
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
    {
        let request = browser.request("POST", &here).header(name, value).form(&form);
        expect_page(&browser.send(&server, request).await, 403);
    }
    let mut stranger = Browser::new();
    expect_page(&stranger.post(&server, &here, &form).await, 403);
    assert_eq!(server.events("consent_given").await, 0);
    // A page that was shown for one client approves no other.
    let mallory = server.public_client().await;
    browser
        .post(&server, &ask(&client, &[("redirect_uri", "https://evil.example/")]), &form)
        .await
        .expect(400);
    let allowed = browser.post(&server, &here, &form).await;
    let code = value(&allowed, "code").unwrap();
    server.exchange(&mallory, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
}

#[tokio::test]
async fn what_can_not_be_trusted_is_told_on_a_page_and_never_redirected() {
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
    let registered = [
        "http://127.0.0.1:3000/callback",
        "http://[::1]/cb",
        "https://a.example/cb?t=1",
        "com.example.app:/cb",
    ];
    let client =
        server.client(&json!({ "redirect_uris": registered, "token_endpoint_auth_method": "none" })).await;
    for (asked, source) in [
        ("http://127.0.0.1:51234/callback", "http://127.0.0.1:51234"),
        ("http://[::1]:51234/cb", "http:"),
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

#[tokio::test]
async fn once_the_address_is_trusted_errors_go_there_with_state_and_issuer() {
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
    let mut browser = Browser::new();
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
        (&client, [("prompt", "none")], "login_required"),
        (&client, [("prompt", "none login")], "invalid_request"),
        (&client, [("prompt", "create")], "invalid_request"),
        (&client, [("max_age", "soon")], "invalid_request"),
        (&client, [("request", "a.b.c")], "request_not_supported"),
        (&client, [("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
        (&device_only, [("x", "y")], "unauthorized_client"),
        (&narrow, [("scope", "openid email")], "invalid_scope"),
    ] {
        let answer = browser.get(&server, &ask(client, &change)).await;
        assert_eq!(led(&answer).0, REDIRECT);
        assert_eq!(value(&answer, "error").as_deref(), Some(error), "{change:?}");
        assert_eq!(value(&answer, "state").as_deref(), Some("s1"));
        assert_eq!(value(&answer, "iss").as_deref(), Some("http://everkey.example"));
        assert!(value(&answer, "error_description").is_some() && value(&answer, "code").is_none());
    }
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
async fn a_state_of_any_characters_comes_back_whole_and_injects_nothing() {
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

#[tokio::test]
async fn a_name_is_shown_as_text() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let metadata = json!({
        "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", "client_name": "<b>Bank</b> \"x\" {{ 7 }}",
    });
    let client = server.client(&metadata).await;
    let page = browser.get(&server, &ask(&client, &[])).await;
    page.expect(200);
    assert!(!page.body.contains("<b>Bank") && page.body.contains("Bank"), "{}", page.body);
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_first_and_comes_back_to_the_same_request() {
    let server = start(Options::without_limits()).await;
    let client = server.public_client().await;
    let mut browser = Browser::new();
    let sent = browser.get(&server, &ask(&client, &[("state", "a b&next=/evil")])).await;
    sent.expect(303);
    let sign_in = sent.header("location").unwrap().to_owned();
    assert!(sign_in.starts_with("/signin?next=%2Fauthorize%3F"), "{sign_in}");
    let page = browser.get(&server, &sign_in).await;
    let next = between(&page.body, "name=\"next\" value=\"", "\"")
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let token = token_in(&page);
    browser.post(&server, "/signin", &[("csrf", &token), ("email", ADA), ("next", &next)]).await.expect(303);
    let code = crate::harness::code_in(server.mails(1).await.last().unwrap());
    let back = browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await;
    back.expect(303);
    let here = back.header("location").unwrap().to_owned();
    assert!(here.starts_with("/authorize?"), "{here}");
    let allowed = answer(&mut browser, &server, &here, "allow").await;
    assert_eq!(value(&allowed, "state").as_deref(), Some("a b&next=/evil"));
    server.exchange(&client, &value(&allowed, "code").unwrap(), &[]).await.expect(200);
}

#[tokio::test]
async fn prompt_and_max_age_ask_for_a_fresh_sign_in_and_never_loop() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    let proved = 1_800_000_000;
    let silent = browser.get(&server, &ask(&client, &[("prompt", "none")])).await;
    assert_eq!(value(&silent, "error").as_deref(), Some("consent_required"));
    server.clock.advance(Duration::from_secs(100));
    browser.get(&server, &ask(&client, &[("max_age", "100")])).await.expect(200);
    server.clock.advance(Duration::from_secs(1));
    let stale = browser.get(&server, &ask(&client, &[("prompt", "none"), ("max_age", "100")])).await;
    assert_eq!(value(&stale, "error").as_deref(), Some("login_required"));
    let mut mails = 1;
    for change in
        [[("max_age", "100")], [("prompt", "login")], [("prompt", "consent login")], [("max_age", "0")]]
    {
        server.clock.advance(Duration::from_secs(200));
        let sent = browser.get(&server, &ask(&client, &change)).await;
        sent.expect(303);
        let sign_in = sent.header("location").unwrap().to_owned();
        assert!(sign_in.starts_with("/signin?again=1&"), "{sign_in}");
        // Approving without it does not work either.
        let token = browser.token(&server, &ask(&client, &[])).await;
        let early =
            browser.post(&server, &ask(&client, &change), &[("csrf", &token), ("answer", "allow")]).await;
        assert!(early.header("location").unwrap().starts_with("/signin?again=1&"));
        server.clock.advance(Duration::from_secs(1));
        mails += 1;
        browser.sign_in(&server, ADA, mails).await;
        let here = url::Url::parse(&format!("http://x{sign_in}")).unwrap();
        let next = here.query_pairs().find(|(name, _)| name == "next").unwrap().1.into_owned();
        server.clock.advance(Duration::from_secs(5));
        let allowed = answer(&mut browser, &server, &next, "allow").await;
        let tokens = server.exchange(&client, &value(&allowed, "code").unwrap(), &[]).await;
        tokens.expect(200);
        let claims = crate::oauth_kit::claims(&tokens.text("id_token"));
        assert!(claims["auth_time"].as_i64().unwrap() > proved + 200 && claims["nonce"] == "n1");
    }
    // The moment that it adds can't be set to the future to skip anything.
    let late = [("prompt", "login"), ("everkey_after", "99999999999999")];
    browser.get(&server, &ask(&client, &late)).await.expect(303);
}

#[tokio::test]
async fn a_code_is_not_made_for_a_session_that_has_ended() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    let here = ask(&client, &[]);
    let token = browser.token(&server, &here).await;
    let kept = browser.clone();
    browser.fill(&server, "/dashboard/sessions", "/signout", &[]).await.expect(303);
    let mut ended = kept;
    expect_page(&ended.post(&server, &here, &[("csrf", &token), ("answer", "allow")]).await, 403);
    ended.get(&server, &here).await.expect(303);
    assert_eq!(server.events("consent_given").await, 0);
}
