//! The page on which a person approves a device.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;

use crate::kit::achilles;
use crate::kit::browser::{Browser, signed_in, token_in};
use crate::kit::burst::{burst, count};
use crate::kit::device::{expect_oauth, field, reference};
use crate::kit::server::{Options, no_limits, start};
use crate::kit::wire::request;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_link_neither_fills_in_nor_approves() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (device, user) = achilles::begin(&server).await;
    for path in [
        format!("/device?user_code={user}"),
        format!("/cli/verify?code={user}"),
        format!("/cli-auth?code={user}"),
    ] {
        let page = browser.get(&server, &path).await;
        page.expect(200);
        assert!(!page.body.contains(&user) && page.body.contains("carries a code"), "{page:?}");
        assert!(!page.body.contains("name=\"grant\""), "{page:?}");
    }
    for path in ["/device", "/cli/verify", "/cli-auth"] {
        let page = browser.get(&server, path).await;
        assert!(page.expect(200).body.contains("name=\"code\"") && !page.body.contains("carries a code"));
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    }
    achilles::expect_failure(&achilles::poll(&server, &device).await, 202);
}

#[tokio::test]
async fn a_codes_sign_in_address_does_not_hold_it() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    for path in ["/device?user_code=ABCD-2345", "/cli/verify?code=ABCD-2345", "/cli-auth", "/device"] {
        let away = browser.get(&server, path).await;
        assert_eq!((away.status, away.header("location")), (303, Some("/signin?next=%2Fdevice")));
    }
    let post = browser.post(&server, "/device", &[("code", "ABCD-2345")]).await;
    assert_eq!(post.status, 403);
}

#[tokio::test]
async fn the_page_shows_who_asks_and_only_as_text() {
    let server = start(Options::default()).await;
    let client = server.device_client("<script>alert(1)</script> & co").await;
    let mut browser = signed_in(&server, ADA).await;
    let fields = [("client_id", client.id.as_str()), ("scope", "openid email")];
    let asked = request("POST", "/device_authorization")
        .header("user-agent", "<img src=x onerror=alert(2)>/1.0 \"'")
        .form(&fields)
        .send(server.address)
        .await;
    asked.expect(200);
    server.clock.advance(Duration::from_secs(125));
    let page = browser.type_code(&server, &asked.text("user_code")).await;
    page.expect(200);
    assert!(!page.body.contains("<script") && !page.body.contains("<img"), "{}", page.body);
    for text in [
        "&#60;script&#62;alert(1)&#60;/script&#62; &#38; co",
        "&#60;img src=x onerror=alert(2)&#62;/1.0",
        "127.0.0.1",
        "2 minutes ago",
        "know which account is yours",
        "see your email address",
        "Approve only if you started this yourself just now",
        ADA,
    ] {
        assert!(page.body.contains(text), "{text} is not in {}", page.body);
    }
    assert!(!page.body.contains(&asked.text("user_code")), "the code itself goes no further");
    let done = browser.say(&server, &page, "approve").await;
    assert!(done.expect(200).body.contains("is being signed in as you"));
    assert!(!done.body.contains("<script"));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_codes_and_then_even_the_right_one_waits() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (device, user) = achilles::begin(&server).await;
    let page = browser.get(&server, "/device").await;
    let token = token_in(&page);
    let answers = burst(12, |_| {
        let fields = [("csrf", token.as_str()), ("code", "ABCD-2345")];
        let guess = browser.request("POST", "/device").form(&fields);
        let address = server.address;
        async move { guess.send(address).await }
    })
    .await;
    assert_eq!((count(&answers, 400), count(&answers, 429)), (5, 7), "{answers:?}");
    let right = browser.type_code(&server, &user).await;
    assert_eq!((right.status, right.header("retry-after")), (429, Some("600")));
    assert!(right.body.contains("Wait 10 minutes"), "{right:?}");
    assert_eq!(server.events("user_code_refused").await, 5);
    server.clock.advance(Duration::from_secs(600));
    achilles::expect_failure(&achilles::poll(&server, &device).await, 410);
    let (_, user) = achilles::begin(&server).await;
    browser.type_code(&server, &user).await.expect(200);
}

#[tokio::test]
async fn wrong_codes_count_for_the_user_and_for_the_address() {
    let two = Limit { max: 2, window: Duration::from_secs(600) };
    for by_user in [true, false] {
        let limits = if by_user {
            Limits { wrong_user_codes_per_user: two, ..no_limits() }
        } else {
            Limits { wrong_user_codes_per_ip: two, ..no_limits() }
        };
        let server = start(Options { limits, ..Options::default() }).await;
        let (mut ada, mut bob) = (signed_in(&server, ADA).await, Browser::new());
        bob.sign_in(&server, "bob@example.com", 2).await;
        for _ in 0..2 {
            ada.type_code(&server, "ABCD-2345").await.expect(400);
        }
        ada.type_code(&server, "ABCD-2345").await.expect(429);
        bob.type_code(&server, "ABCD-2345").await.expect(if by_user { 400 } else { 429 });
    }
}

#[tokio::test]
async fn one_persons_wrong_codes_leave_the_neighbours_alone() {
    let limits = Limits { code_cooldown: Duration::ZERO, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let (mut ada, mut bob) = (signed_in(&server, ADA).await, Browser::new());
    bob.sign_in(&server, "bob@example.com", 2).await;
    for n in 0..12 {
        ada.type_code(&server, "ABCD-2345").await.expect(if n < 5 { 400 } else { 429 });
    }
    let (_, user) = achilles::begin(&server).await;
    bob.type_code(&server, &user).await.expect(200);
}

#[tokio::test]
async fn what_can_not_be_a_code_is_no_guess() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    for typed in ["", "ABCD", "ABCD-23456", "ABC0-2345", "<script>", "\u{0}", &"A".repeat(5000)] {
        let page = browser.type_code(&server, typed).await;
        page.expect(400);
        assert!(
            page.body.contains("eight letters and digits") && !page.body.contains("<script>"),
            "{page:?}"
        );
    }
    assert_eq!(server.events("user_code_refused").await, 0);
    let (_, user) = achilles::begin(&server).await;
    browser.type_code(&server, &format!(" {} ", user.to_lowercase())).await.expect(200);
}

#[tokio::test]
async fn right_codes_are_no_wrong_ones_however_often_typed() {
    let server = start(Options::default()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (_, user) = achilles::begin(&server).await;
    for _ in 0..8 {
        browser.type_code(&server, &user).await.expect(200);
    }
}

#[tokio::test]
async fn only_the_session_that_typed_the_code_decides() {
    let server = start(Options::without_limits()).await;
    let client = server.device_client("a tool").await;
    let (mut ada, mut eve) = (signed_in(&server, ADA).await, Browser::new());
    eve.sign_in(&server, "eve@example.com", 2).await;
    let codes = server.device_codes(&client, "email").await;
    let page = ada.type_code(&server, &field(&codes, "user_code")).await;
    let grant = reference(&page);
    let hers = eve.token(&server, "/device").await;
    let id = grant.split('.').nth(1).unwrap();
    for forged in [grant.as_str(), id, "", "a.b.c", "..", &format!("{grant}x"), &field(&codes, "user_code")] {
        let fields = [("csrf", hers.as_str()), ("grant", forged), ("verdict", "approve")];
        eve.post(&server, "/device/decision", &fields).await.expect(400);
    }
    let mut elsewhere = Browser::new();
    elsewhere.sign_in(&server, ADA, 3).await;
    let token = elsewhere.token(&server, "/device").await;
    let fields = [("csrf", token.as_str()), ("grant", grant.as_str()), ("verdict", "approve")];
    elsewhere.post(&server, "/device/decision", &fields).await.expect(400);
    // Nor does another site make the browser decide.
    let token = token_in(&page);
    let fields = [("csrf", token.as_str()), ("grant", grant.as_str()), ("verdict", "approve")];
    let forged = ada.request("POST", "/device/decision").header("origin", "https://evil.example");
    ada.send(&server, forged.form(&fields)).await.expect(403);
    ada.post(&server, "/device/decision", &fields[1..]).await.expect(403);
    ada.say(&server, &page, "perhaps").await.expect(400);
    ada.get(&server, "/device/decision").await.expect(405);
    expect_oauth(
        &server.device_poll(&client, &field(&codes, "device_code")).await,
        400,
        "authorization_pending",
    );
    ada.say(&server, &page, "approve").await.expect(200);
}
