//! The authorization endpoint: who may ask, what the user sees, and where the answer goes.

use std::time::Duration;

use serde_json::json;

use crate::kit::authorize::{answer, ask, expect_page, led, value};
use crate::kit::browser::{Browser, between, signed_in, token_in};
use crate::kit::oauth::REDIRECT;
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_allowed_request_becomes_a_code_and_tokens() {
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
async fn only_answers_from_the_page_count() {
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
async fn a_sign_in_leads_back_to_the_same_request() {
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
    let code = crate::kit::server::code_in(server.mails(1).await.last().unwrap());
    let back = browser.fill(&server, "/signin/code", "/signin/code", &[("code", &code)]).await;
    back.expect(303);
    let here = back.header("location").unwrap().to_owned();
    assert!(here.starts_with("/authorize?"), "{here}");
    let allowed = answer(&mut browser, &server, &here, "allow").await;
    assert_eq!(value(&allowed, "state").as_deref(), Some("a b&next=/evil"));
    server.exchange(&client, &value(&allowed, "code").unwrap(), &[]).await.expect(200);
}

#[tokio::test]
async fn prompt_and_max_age_never_loop() {
    let server = start(Options::without_limits()).await;
    let (mut browser, client) = (signed_in(&server, ADA).await, server.public_client().await);
    let proved = 1_800_000_000;
    let allowed = answer(&mut browser, &server, &ask(&client, &[]), "allow").await;
    server.exchange(&client, &value(&allowed, "code").unwrap(), &[]).await.expect(200);
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
        let claims = crate::kit::oauth::claims(&tokens.text("id_token"));
        assert!(claims["auth_time"].as_i64().unwrap() > proved + 200 && claims["nonce"] == "n1");
    }
    // The moment that it adds can't be set to the future to skip anything.
    let late = [("prompt", "login"), ("everkey_after", "99999999999999")];
    browser.get(&server, &ask(&client, &late)).await.expect(303);
}

#[tokio::test]
async fn an_ended_session_gets_no_code() {
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

#[tokio::test]
async fn a_long_access_token_is_announced_and_capped() {
    let mut options = Options::without_limits();
    options.limits.longest_access = Duration::from_secs(7 * 86_400);
    let server = start(options).await;
    let mut browser = signed_in(&server, ADA).await;
    let told = "for up to 7 days, without asking again";
    let lasting =
        server.client(&json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" })).await;
    assert!(browser.get(&server, &ask(&lasting, &[])).await.expect(200).body.contains(told));
    let allowed = answer(&mut browser, &server, &ask(&lasting, &[]), "allow").await;
    let code = value(&allowed, "code").unwrap();
    let tokens = server.exchange(&lasting, &code, &[("requested_expiry", "2592000")]).await;
    assert_eq!(tokens.expect(200).json()["expires_in"], 7 * 86_400);
    let refreshing = server.public_client().await;
    assert!(
        !browser.get(&server, &ask(&refreshing, &[])).await.expect(200).body.contains("without asking again")
    );
}
