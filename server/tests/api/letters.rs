//! Letters about an account: what is told, to whom, and how often; and what making a lasting token takes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::binboi::{ME, TOKENS, make};
use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::second_factor::{ADA, protected, verify};
use crate::kit::server::{Options, Server, SignedIn, start};
use crate::kit::wire::{Answer, request};

const PAGE: &str = "/dashboard/access-tokens";
const SESSIONS: &str = "/dashboard/sessions";
const NEW_SIGN_IN: &str = "A new sign-in to your account";
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Signs in with a program that calls itself so, from this address.
async fn sign_in_with(server: &Server, program: &str, from: &str, n: usize) -> SignedIn {
    let code = server.new_code(ADA, n).await;
    let verify = request("POST", "/v0/auth/login/verify")
        .header("user-agent", program)
        .header("x-forwarded-for", from)
        .json(&json!({ "email": ADA, "code": code }));
    let answer = verify.send(server.address).await;
    answer.expect(200);
    let user_id = answer.json()["user"]["id"].as_str().unwrap().to_owned();
    SignedIn { access: answer.text("access_token"), refresh: answer.text("refresh_token"), user_id }
}

fn behind_a_proxy() -> Options {
    Options { trusted: vec!["127.0.0.1/32"], ..Options::without_limits() }
}

/// The letters of a kind, once everything that was left in the outbox before has been written.
async fn letters(server: &Server, subject: &str, n: usize) -> Vec<String> {
    server.new_code("somebody@example.com", n).await;
    server.mails_about(subject, 0).await
}

#[tokio::test]
async fn only_a_sign_in_from_somewhere_new_is_told() {
    let server = start(behind_a_proxy()).await;
    sign_in_with(&server, "everkey/1 (linux)", "192.0.2.1", 1).await;
    sign_in_with(&server, "everkey/2 (linux)", "192.0.2.77", 2).await;
    assert_eq!(letters(&server, NEW_SIGN_IN, 3).await.len(), 0, "the first is no news, nor an update");
    let evil = "visit.evil.example/1 <a href=http://evil.example>";
    sign_in_with(&server, evil, "192.0.2.1", 4).await;
    sign_in_with(&server, "everkey/2 (linux)", "203.0.113.9", 5).await;
    let told = server.mails_about(NEW_SIGN_IN, 2).await;
    assert!(told[0].contains("Network:  192.0.2.1") && told[1].contains("Network:  203.0.113.9"), "{told:?}");
    assert!(told[1].contains("\"everkey\"") && told[1].contains("2027-01-15 08:00 UTC"), "{told:?}");
    assert!(told[1].contains("http://everkey.example/dashboard/sessions"), "{told:?}");
    assert!(told.iter().all(|letter| !letter.contains("evil.example") && letter.contains(ADA)), "{told:?}");
    sign_in_with(&server, evil, "203.0.113.9", 6).await;
    assert_eq!(letters(&server, NEW_SIGN_IN, 7).await.len(), 2, "by now both are known");
}

#[tokio::test]
async fn nobody_is_flooded_and_the_last_letter_says_so() {
    let server = start(behind_a_proxy()).await;
    for nth in 0..8 {
        sign_in_with(&server, &format!("program{nth}"), "192.0.2.1", nth + 1).await;
    }
    server.mails_about(NEW_SIGN_IN, 5).await;
    let told = letters(&server, NEW_SIGN_IN, 9).await;
    assert_eq!(told.len(), 5);
    let last: Vec<bool> = told.iter().map(|letter| letter.contains("withheld")).collect();
    assert_eq!(last, [false, false, false, false, true]);
    server.clock.advance(Duration::from_secs(86_400));
    sign_in_with(&server, "another", "192.0.2.1", 10).await;
    let told = server.mails_about(NEW_SIGN_IN, 6).await;
    assert!(told.len() == 6 && !told[5].contains("withheld"), "{told:?}");
}

#[track_caller]
fn expect_unproved(answer: &Answer, code: &str) {
    answer.expect(403);
    assert_eq!(answer.json()["code"], code, "{answer:?}");
}

#[tokio::test]
async fn a_stolen_hour_makes_no_token_that_outlives_it() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    server.clock.advance(TEN_MINUTES - Duration::from_millis(1));
    make(&server, &me, &json!({})).await.expect(201);
    server.clock.advance(Duration::from_millis(1));
    expect_unproved(&make(&server, &me, &json!({})).await, "SIGN_IN_REQUIRED");
    let refreshed = server.post("/v0/auth/token/refresh", &json!({ "refresh_token": me.refresh })).await;
    let me = SignedIn { access: refreshed.text("access_token"), ..me };
    expect_unproved(&make(&server, &me, &json!({})).await, "SIGN_IN_REQUIRED");
    assert_eq!(server.events("personal_token_made").await, 1);
    let told = server.mails_about("An access token was made", 1).await;
    assert!(told.len() == 1 && told[0].contains("CLI token"), "{told:?}");
    let me = server.sign_in_as(ADA, 2).await;
    make(&server, &me, &json!({})).await.expect(201);
}

#[tokio::test]
async fn a_token_lapses_unless_asked_never_to() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let made = make(&server, &me, &json!({ "name": "a" })).await.json();
    assert_eq!(made["record"]["expiresAt"], "2027-04-15T08:00:00.000Z");
    let endless = make(&server, &me, &json!({ "never_expires": true })).await.json();
    assert_eq!(endless["record"].get("expiresAt"), None);
    make(&server, &me, &json!({ "never_expires": true, "expires_in_days": 3 })).await.expect(400);
    server.clock.advance(Duration::from_secs(90 * 86_400));
    server.get(ME, made["token"].as_str().unwrap()).await.expect(401);
    server.get(ME, endless["token"].as_str().unwrap()).await.expect(200);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_wherever_a_token_is_made() {
    let (server, mut browser, phone) = protected(Options::without_limits()).await;
    let code = server.new_code(ADA, 2).await;
    let signed_in = verify(&server, &code, json!(phone.next_code(&server))).await;
    let access = signed_in.expect(200).text("access_token");
    let me = SignedIn { access, refresh: String::new(), user_id: String::new() };
    expect_unproved(&make(&server, &me, &json!({})).await, "SECOND_FACTOR_REQUIRED");
    let used = phone.code_at(&server, 0);
    expect_unproved(&make(&server, &me, &json!({ "second_factor": used })).await, "SECOND_FACTOR_REJECTED");
    make(&server, &me, &json!({ "second_factor": "?" })).await.expect(400);
    assert_eq!(server.events("second_factor_refused").await, 1, "a wrong one counts");
    let right = json!({ "second_factor": phone.next_code(&server) });
    make(&server, &me, &right).await.expect(201);

    for (code, status) in
        [(None, 422), (Some(phone.code_at(&server, 0)), 422), (Some(phone.next_code(&server)), 200)]
    {
        let answer = make_on_page(&server, &mut browser, code.as_deref()).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(server.events("personal_token_made").await, 2);
}

async fn make_on_page(server: &Server, browser: &mut Browser, code: Option<&str>) -> Answer {
    let page = browser.get(server, PAGE).await;
    let field = |name: &str| between(&page.body, &format!("name=\"{name}\" value=\""), "\"").unwrap();
    let (csrf, form_id) = (field("csrf"), field("form_id"));
    let mut fields =
        vec![("csrf", csrf.as_str()), ("form_id", &form_id), ("name", "the page's"), ("lapse", "90d")];
    fields.extend(code.map(|code| ("code", code)));
    browser.post(server, PAGE, &fields).await
}

#[tokio::test]
async fn a_browser_signs_in_again_before_it_makes_a_token() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let page = browser.get(&server, PAGE).await;
    let field = |name: &str| between(&page.body, &format!("name=\"{name}\" value=\""), "\"").unwrap();
    let (csrf, form_id) = (field("csrf"), field("form_id"));
    server.clock.advance(TEN_MINUTES);
    let fields = [("csrf", csrf.as_str()), ("form_id", &form_id), ("name", "a"), ("lapse", "never")];
    let stale = browser.post(&server, PAGE, &fields).await;
    assert_eq!(
        stale.expect(303).header("location"),
        Some("/signin?again=1&next=%2Fdashboard%2Faccess-tokens")
    );
    let page = browser.get(&server, PAGE).await;
    assert!(page.body.contains("sign in again") && !page.body.contains("Create token"), "{page:?}");
    assert_eq!(server.events("personal_token_made").await, 0);
    browser.sign_in(&server, ADA, 2).await;
    make_on_page(&server, &mut browser, None).await.expect(200);
}

#[tokio::test]
async fn ending_sessions_names_their_tokens_and_ends_them_when_asked() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    make_on_page(&server, &mut browser, None).await.expect(200);
    let works = async |made: &Value| server.get(ME, made["token"].as_str().unwrap()).await.status == 200;
    let mut made = Vec::new();
    for (n, name) in [(2, "first"), (3, "second")] {
        let me = server.sign_in_as(ADA, n).await;
        let token = make(&server, &me, &json!({ "name": name })).await.json();
        made.push((me, token));
    }
    let session = crate::kit::oauth::claims(&made[0].0.access)["sid"].as_str().unwrap().to_owned();
    let page = browser.get(&server, SESSIONS).await.body;
    assert!(page.contains("what it made: <bdi>first</bdi>") && page.contains("<bdi>second</bdi>"), "{page}");
    assert!(!page.contains("the page&#39;s") && !page.contains("the page's"), "{page}");

    server.post("/v0/auth/logout", &json!({ "refresh_token": made[0].0.refresh })).await;
    assert!(works(&made[0].1).await, "a logout leaves what was made to outlive it");
    let fields = [("session", session.as_str()), ("tokens", "yes")];
    browser.fill(&server, SESSIONS, "/dashboard/sessions/end", &fields).await.expect(303);
    assert!(!works(&made[0].1).await && works(&made[1].1).await);
    let all = "/dashboard/sessions/end-others";
    browser.fill(&server, SESSIONS, all, &[]).await.expect(303);
    assert!(works(&made[1].1).await);
    browser.fill(&server, SESSIONS, all, &[("tokens", "yes")]).await.expect(303);
    assert!(!works(&made[1].1).await);
    assert_eq!(server.events("personal_token_revoked").await, 2);
    let me = server.sign_in_as(ADA, 4).await;
    let left = server.get(TOKENS, &me.access).await.json();
    assert_eq!(left["limits"]["tokens_used"], 1, "the browser's own");
}
