//! The sessions page: every signed-in device of mine and nobody else's, and ending them.

use std::time::Duration;

use serde_json::json;

use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::server::{Options, Server, code_in, start};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";
const PAGE: &str = "/dashboard/sessions";
const END: &str = "/dashboard/sessions/end";
const OTHERS: &str = "/dashboard/sessions/end-others";

/// The page's sessions other than this browser's.
async fn others(server: &Server, browser: &mut Browser) -> Vec<String> {
    let page = browser.get(server, PAGE).await;
    page.expect(200);
    let rows = page.body.split("name=\"session\" value=\"").skip(1);
    rows.map(|row| row.split_once('"').unwrap().0.to_owned()).collect()
}

/// Signs a program in that calls itself so; `n` mails are there afterwards. Returns its tokens.
async fn program(server: &Server, email: &str, user_agent: &str, n: usize) -> serde_json::Value {
    server.clock.advance(Duration::from_secs(1));
    server.ask_code(email).await.expect(200);
    let code = code_in(server.mails(n).await.last().unwrap());
    let body = json!({ "email": email, "code": code });
    let answer = request("POST", "/v0/auth/login/verify").header("user-agent", user_agent).json(&body);
    answer.send(server.address).await.json()
}

#[tokio::test]
async fn the_page_lists_my_sessions_and_nobody_elses() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    program(&server, ADA, "everkey/0.4 (linux)", 2).await;
    program(&server, "eve@example.com", "evil/6.6", 3).await;
    let page = browser.get(&server, PAGE).await;
    let body = &page.expect(200).body;
    assert_eq!(body.matches(">This browser<").count(), 1);
    assert!(
        body.contains("<bdi>everkey<") && body.contains("Command line, signed in with an email code"),
        "{body}"
    );
    assert!(body.contains("127.0.0.1") && body.contains("15 Jan 2027"), "{body}");
    assert!(!body.contains("evil") && !body.contains("eve@"), "{body}");
    assert_eq!(others(&server, &mut browser).await.len(), 1);
}

#[tokio::test]
async fn a_hostile_program_name_is_only_text() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    program(&server, ADA, "<script>alert(1)</script>\"'>/1 <img src=x onerror=alert(1)>", 2).await;
    let page = browser.get(&server, PAGE).await;
    assert!(!page.expect(200).body.contains("<script") && !page.body.contains("<img"), "{page:?}");
    assert!(page.body.contains("&#60;script&#62;"), "{page:?}");
}

#[tokio::test]
async fn ending_one_ends_that_one() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let first = program(&server, ADA, "first/1", 2).await;
    let second = program(&server, ADA, "second/1", 3).await;
    let ids = others(&server, &mut browser).await;
    assert_eq!(ids.len(), 2);
    let done = browser.fill(&server, PAGE, END, &[("session", &ids[0])]).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/dashboard/sessions?ended=one")));
    assert_eq!(others(&server, &mut browser).await, ids[1..]);
    // The last seen comes first.
    let refresh = |tokens: &serde_json::Value| json!({ "refresh_token": tokens["refresh_token"] });
    server.post("/v0/auth/token/refresh", &refresh(&second)).await.expect_error(401, "invalid_grant");
    server.get("/v0/auth/me", second["access_token"].as_str().unwrap()).await.expect(401);
    server.post("/v0/auth/token/refresh", &refresh(&first)).await.expect(200);
    assert_eq!(server.events("session_ended").await, 1);
    // Once more is no error, and happens once.
    browser.fill(&server, PAGE, END, &[("session", &ids[0])]).await.expect(303);
    assert_eq!(server.events("session_ended").await, 1);
}

#[tokio::test]
async fn ending_all_others_keeps_this_browser_alone() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let tool = program(&server, ADA, "tool/1", 2).await;
    let eve = program(&server, "eve@example.com", "tool/1", 3).await;
    let mut phone = Browser::new();
    phone.sign_in(&server, ADA, 4).await;
    assert_eq!(others(&server, &mut browser).await.len(), 2);
    browser.fill(&server, PAGE, OTHERS, &[]).await.expect(303);
    assert!(browser.get(&server, PAGE).await.expect(200).body.contains("not signed in anywhere else"));
    assert_eq!(phone.get(&server, PAGE).await.status, 303);
    server.get("/v0/auth/me", tool["access_token"].as_str().unwrap()).await.expect(401);
    server.get("/v0/auth/me", eve["access_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(server.events("others_ended").await, 1);
}

#[tokio::test]
async fn nobody_ends_someone_elses_session() {
    let server = start(Options::without_limits()).await;
    let mut ada = signed_in(&server, ADA).await;
    program(&server, ADA, "tool/1", 2).await;
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 3).await;
    let ids = others(&server, &mut ada).await;
    for id in [ids[0].as_str(), "", "x", "00000000-0000-4000-8000-000000000000", "' OR 1=1 --"] {
        eve.fill(&server, PAGE, END, &[("session", id)]).await.expect(404);
    }
    assert_eq!(others(&server, &mut ada).await, ids);
    ada.get(&server, PAGE).await.expect(200);
}

#[tokio::test]
async fn ending_needs_this_sessions_form() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    program(&server, ADA, "tool/1", 2).await;
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 3).await;
    let ids = others(&server, &mut browser).await;
    let (mine, hers) = (browser.token(&server, PAGE).await, eve.token(&server, PAGE).await);
    let mut fresh = browser.clone();
    fresh.get(&server, "/signin?again=1").await;
    let of_sign_in = fresh.token(&server, "/signin?again=1").await;
    let long = "A".repeat(43);
    for forged in [None, Some(""), Some(hers.as_str()), Some(of_sign_in.as_str()), Some(long.as_str())] {
        let fields = [("session", ids[0].as_str()), ("csrf", forged.unwrap_or_default())];
        let fields = if forged.is_none() { &fields[..1] } else { &fields[..] };
        browser.post(&server, END, fields).await.expect(403);
        browser.post(&server, OTHERS, fields).await.expect(403);
    }
    let good = [("session", ids[0].as_str()), ("csrf", mine.as_str())];
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "null"),
        ("origin", "https://evil.example"),
        ("origin", "https://everkey.example"),
    ] {
        for path in [END, OTHERS] {
            let sent = browser.request("POST", path).header(name, value).form(&good);
            browser.send(&server, sent).await.expect(403);
        }
    }
    // The token in the address, or as JSON, is no form.
    let in_query = browser.request("POST", &format!("{OTHERS}?csrf={mine}")).form(&[]);
    browser.send(&server, in_query).await.expect(403);
    let as_json = browser.request("POST", OTHERS).json(&json!({ "csrf": mine }));
    browser.send(&server, as_json).await.expect(415);
    let twice = [("session", ids[0].as_str()), ("session", "x"), ("csrf", mine.as_str())];
    browser.post(&server, END, &twice).await.expect(403);
    browser.post(&server, END, &[("csrf", &mine)]).await.expect(400);
    let endless = "x".repeat(17 * 1024);
    browser.post(&server, END, &[("session", &endless), ("csrf", &mine)]).await.expect(413);
    assert_eq!(others(&server, &mut browser).await, ids);
    assert_eq!(server.events("session_ended").await + server.events("others_ended").await, 0);
    browser.post(&server, END, &good).await.expect(303);
}

#[tokio::test]
async fn a_browser_lapses_after_an_idle_week_or_a_month() {
    let server = start(Options::without_limits()).await;
    let day = Duration::from_secs(86_400);
    let mut browser = signed_in(&server, ADA).await;
    server.clock.advance(7 * day - Duration::from_millis(1));
    browser.get(&server, PAGE).await.expect(200);
    server.clock.advance(7 * day);
    assert_eq!(browser.get(&server, PAGE).await.status, 303);
    let mut other = Browser::new();
    other.sign_in(&server, ADA, 2).await;
    assert!(others(&server, &mut other).await.is_empty(), "a lapsed browser is still listed");
    for _ in 0..5 {
        server.clock.advance(5 * day);
        other.get(&server, PAGE).await.expect(200);
    }
    server.clock.advance(5 * day - Duration::from_millis(1));
    other.get(&server, PAGE).await.expect(200);
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(other.get(&server, PAGE).await.status, 303);
}

#[tokio::test]
async fn a_program_whose_tokens_have_lapsed_is_not_listed() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    program(&server, ADA, "tool/1", 2).await;
    server.clock.advance(Duration::from_secs(29 * 86_400));
    let mut browser_now = Browser::new();
    browser_now.sign_in(&server, ADA, 3).await;
    assert_eq!(others(&server, &mut browser_now).await.len(), 1);
    server.clock.advance(Duration::from_secs(86_400));
    assert_eq!(others(&server, &mut browser_now).await.len(), 0);
    assert_eq!(browser.get(&server, PAGE).await.status, 303);
}

#[tokio::test]
async fn forged_cookies_open_nothing() {
    let server = start(Options::default()).await;
    let browser = signed_in(&server, ADA).await;
    let other_server = start(Options::default()).await;
    let foreign = signed_in(&other_server, ADA).await.cookies["everkey"].clone();
    let good = browser.cookies["everkey"].clone();
    let flipped = format!("{}{}", if good.starts_with('A') { 'B' } else { 'A' }, &good[1..]);
    let endless = "A".repeat(9000);
    for cookie in
        ["", "x", &foreign, &flipped, &good[1..], &format!("{good}A"), &endless, "\"\"", "%00", "AAAA"]
    {
        let mut pretender = Browser::new();
        pretender.cookies.insert("everkey".to_owned(), cookie.to_owned());
        let answer = pretender.get(&server, PAGE).await;
        assert_eq!(answer.status, 303, "{cookie}");
        pretender.post(&server, OTHERS, &[("csrf", "x")]).await.expect(403);
    }
    // Of two cookies with the name one was planted.
    for pair in [(&foreign, &good), (&good, &foreign)] {
        let twice = request("GET", PAGE).header("cookie", &format!("everkey={}; everkey={}", pair.0, pair.1));
        assert_eq!(twice.send(server.address).await.status, 303);
    }
    // On TLS the unprefixed name, which a neighbour could plant, counts for nothing.
    let tls = start(Options { public_url: "https://everkey.example", ..Options::default() }).await;
    let mut visitor = Browser::new();
    let token = visitor.token(&tls, "/signin").await;
    let asked = visitor.request("POST", "/signin").form(&[("csrf", &token), ("email", ADA)]);
    visitor.send(&tls, asked).await.expect(303);
    let code = code_in(&tls.mails(1).await[0]);
    let token = visitor.token(&tls, "/signin/code").await;
    let proved = visitor.request("POST", "/signin/code").form(&[("csrf", &token), ("code", &code)]);
    visitor.send(&tls, proved).await.expect(303);
    visitor.get(&tls, PAGE).await.expect(200);
    let cookie = visitor.cookies.remove("__Host-everkey").unwrap();
    visitor.cookies.insert("everkey".to_owned(), cookie);
    assert_eq!(visitor.get(&tls, PAGE).await.status, 303);
}

#[tokio::test]
async fn what_is_seen_is_noted_once_a_minute() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let mut phone = Browser::new();
    server.clock.advance(Duration::from_secs(1));
    phone.sign_in(&server, ADA, 2).await;
    let seen = async |browser: &mut Browser| {
        let page = browser.get(&server, PAGE).await;
        between(&page.body, "data-label=\"Last seen\"><time datetime=\"", "\"").unwrap()
    };
    let before = seen(&mut browser).await;
    server.clock.advance(Duration::from_secs(59));
    phone.get(&server, PAGE).await.expect(200);
    assert_eq!(seen(&mut browser).await, before);
    server.clock.advance(Duration::from_secs(1));
    phone.get(&server, PAGE).await.expect(200);
    assert_ne!(seen(&mut browser).await, before);
}

#[tokio::test]
async fn an_app_is_listed_by_name_and_can_be_ended() {
    let server = start(Options::without_limits()).await;
    let user = server.sign_in().await;
    let client = server
        .client(&json!({
            "client_name": "Notes <b>& more</b>",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        }))
        .await;
    let tokens = server.oauth_tokens(&user, &client, "openid email").await;
    server.clock.advance(Duration::from_secs(1));
    let mut browser = Browser::new();
    browser.sign_in(&server, ADA, 2).await;
    let page = browser.get(&server, PAGE).await;
    assert!(page.body.contains("<bdi>Notes &#60;b&#62;&#38; more&#60;/b&#62;</bdi>"), "{page:?}");
    assert!(page.body.contains("Connected app, approved in a browser, for openid email"), "{page:?}");
    browser.fill(&server, PAGE, OTHERS, &[]).await.expect(303);
    let refreshed = server.oauth_refresh(&client, tokens["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!((refreshed.status, refreshed.text("error").as_str()), (400, "invalid_grant"));
}
