//! The access-tokens page: made once, shown once, revoked for good.

use std::time::Duration;

use crate::kit::browser::{Browser, between, signed_in};
use crate::kit::server::{Options, Server, start};
use crate::kit::wire::{Answer, request};

const ADA: &str = "ada@example.com";
const PAGE: &str = "/dashboard/access-tokens";
const REVOKE: &str = "/dashboard/access-tokens/revoke";

/// The token and the name of the form on the page.
async fn form(server: &Server, browser: &mut Browser) -> (String, String) {
    let page = browser.get(server, PAGE).await;
    let field = |name: &str| between(&page.body, &format!("name=\"{name}\" value=\""), "\"").unwrap();
    (field("csrf"), field("form_id"))
}

async fn make(server: &Server, browser: &mut Browser, name: &str, lapse: &str) -> Answer {
    let (csrf, form_id) = form(server, browser).await;
    let fields = [("csrf", csrf.as_str()), ("form_id", &form_id), ("name", name), ("lapse", lapse)];
    browser.post(server, PAGE, &fields).await
}

fn token_in(page: &Answer) -> String {
    between(&page.body, "type=\"text\" value=\"", "\"").unwrap_or_else(|| panic!("no token in {page:?}"))
}

async fn works(server: &Server, token: &str) -> bool {
    request("GET", "/api/v1/auth/me").bearer(token).send(server.address).await.status == 200
}

fn ids(page: &Answer) -> Vec<String> {
    let rows = page.body.split("name=\"token\" value=\"").skip(1);
    rows.map(|row| row.split_once('"').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_revoked() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    assert!(browser.get(&server, PAGE).await.expect(200).body.contains("You have no tokens"));
    let sign_in = "<code>binboi login --token - --server http://everkey.example</code>";
    assert!(
        browser.get(&server, PAGE).await.body.contains(sign_in),
        "a token goes to the server that made it"
    );
    let made = make(&server, &mut browser, "M2 MacBook", "90d").await;
    let token = token_in(made.expect(200));
    assert!(made.body.contains(sign_in), "{made:?}");
    assert!(token.starts_with("binboi_pat_") && works(&server, &token).await);
    assert!(made.header("content-security-policy").unwrap().contains("script-src 'self';"));
    assert!(made.body.contains("15 April 2027"), "{made:?}");
    let page = browser.get(&server, PAGE).await;
    assert!(!page.expect(200).body.contains(&token));
    assert!(page.body.contains(&token[..19]) && page.body.contains("M2 MacBook"), "{page:?}");
    assert!(page.body.contains(">Active<") && page.body.contains("just now"), "{page:?}");
    let done = browser.fill(&server, PAGE, REVOKE, &[("token", &ids(&page)[0])]).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/dashboard/access-tokens?done=revoked")));
    assert!(!works(&server, &token).await);
    let page = browser.get(&server, PAGE).await;
    assert!(page.body.contains(">Revoked<") && ids(&page).is_empty(), "{page:?}");
}

#[tokio::test]
async fn a_form_sent_again_makes_no_second_token() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (csrf, form_id) = form(&server, &mut browser).await;
    let fields = [("csrf", csrf.as_str()), ("form_id", &form_id), ("name", "a"), ("lapse", "never")];
    browser.post(&server, PAGE, &fields).await.expect(200);
    for _ in 0..2 {
        let again = browser.post(&server, PAGE, &fields).await;
        assert_eq!(
            (again.status, again.header("location")),
            (303, Some("/dashboard/access-tokens?done=already"))
        );
    }
    assert_eq!(server.events("personal_token_made").await, 1);
    // Nor does a form that was open for half a day, or that no page of ours had.
    let (csrf, form_id) = form(&server, &mut browser).await;
    server.clock.advance(Duration::from_secs(12 * 3600));
    for form_id in [form_id.as_str(), "", "x", "9999999999999.00000000-0000-4000-8000-000000000000"] {
        let fields = [("csrf", csrf.as_str()), ("form_id", form_id), ("name", "a"), ("lapse", "never")];
        browser.post(&server, PAGE, &fields).await.expect(303);
    }
    assert_eq!(server.events("personal_token_made").await, 1);
    browser.sign_in(&server, ADA, 2).await;
    make(&server, &mut browser, "b", "never").await.expect(200);
}

#[tokio::test]
async fn two_clicks_at_once_make_one_token() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let (csrf, form_id) = form(&server, &mut browser).await;
    let fields = [("csrf", csrf.as_str()), ("form_id", &form_id), ("name", "a"), ("lapse", "never")];
    let click = browser.request("POST", PAGE).form(&fields);
    let clicks: Vec<_> = (0..6)
        .map(|_| {
            let (click, address) = (click.clone(), server.address);
            tokio::spawn(async move { click.send(address).await.status })
        })
        .collect();
    let mut shown = 0;
    for click in clicks {
        shown += usize::from(click.await.unwrap() == 200);
    }
    assert_eq!((shown, server.events("personal_token_made").await), (1, 1));
}

#[tokio::test]
async fn a_token_lapses_when_it_was_to() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = token_in(&make(&server, &mut browser, "a", "30d").await);
    server.clock.advance(Duration::from_secs(30 * 86_400) - Duration::from_millis(1));
    assert!(works(&server, &token).await);
    server.clock.advance(Duration::from_millis(1));
    assert!(!works(&server, &token).await);
    browser = Browser::new();
    browser.sign_in(&server, ADA, 2).await;
    let page = browser.get(&server, PAGE).await;
    assert!(page.body.contains(">Expired<") && ids(&page).is_empty(), "{page:?}");
}

#[tokio::test]
async fn the_plan_sets_how_many_and_the_form_is_kept() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    for name in ["a", "b", "c"] {
        make(&server, &mut browser, name, "365d").await.expect(200);
    }
    let full = make(&server, &mut browser, "the fourth", "365d").await;
    assert!(
        full.expect(403).body.contains("role=\"alert\"") && full.body.contains("3 active tokens"),
        "{full:?}"
    );
    assert!(
        full.body.contains("value=\"the fourth\"") && full.body.contains("value=\"365d\" selected"),
        "{full:?}"
    );
    let page = browser.get(&server, PAGE).await;
    browser.fill(&server, PAGE, REVOKE, &[("token", &ids(&page)[0])]).await.expect(303);
    make(&server, &mut browser, "the fourth", "365d").await.expect(200);
}

#[tokio::test]
async fn names_are_only_text_and_bad_ones_are_refused() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let hostile = "<script>alert(1)</script>\"'><img src=x>";
    let made = make(&server, &mut browser, hostile, "never").await;
    let page = browser.get(&server, PAGE).await;
    for page in [made.expect(200), page.expect(200)] {
        assert!(!page.body.contains("<script>") && !page.body.contains("<img"), "{page:?}");
        assert!(page.body.contains("&#60;script&#62;alert(1)"), "{page:?}");
    }
    for name in [&"x".repeat(65), "a\r\nset-cookie: x=y", "a\0", "a\u{202e}b"] {
        let refused = make(&server, &mut browser, name, "never").await;
        assert!(refused.expect(422).body.contains("role=\"alert\""), "{name:?}");
    }
    for lapse in ["", "1d", "-1", "forever", "30D"] {
        make(&server, &mut browser, "a", lapse).await.expect(400);
    }
    assert_eq!(server.events("personal_token_made").await, 1);
}

#[tokio::test]
async fn making_and_revoking_need_ones_own_form() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = token_in(&make(&server, &mut browser, "a", "never").await);
    let page = browser.get(&server, PAGE).await;
    let id = ids(&page)[0].clone();
    server.clock.advance(Duration::from_secs(1));
    let mut eve = Browser::new();
    eve.sign_in(&server, "eve@example.com", 2).await;
    eve.fill(&server, PAGE, REVOKE, &[("token", &id)]).await.expect(404);
    let (hers, form_id) = form(&server, &mut eve).await;
    for csrf in ["", hers.as_str()] {
        browser.post(&server, REVOKE, &[("csrf", csrf), ("token", &id)]).await.expect(403);
        let fields = [("csrf", csrf), ("form_id", &form_id), ("name", "b"), ("lapse", "never")];
        browser.post(&server, PAGE, &fields).await.expect(403);
    }
    let (csrf, form_id) = form(&server, &mut browser).await;
    let fields = [("csrf", csrf.as_str()), ("form_id", &form_id), ("name", "b"), ("lapse", "never")];
    for origin in ["null", "https://evil.example"] {
        let sent = browser.request("POST", PAGE).header("origin", origin).form(&fields);
        browser.send(&server, sent).await.expect(403);
    }
    let mut nobody = Browser::new();
    nobody.post(&server, PAGE, &fields).await.expect(403);
    assert!(works(&server, &token).await);
    assert_eq!(server.events("personal_token_made").await, 1);
    assert_eq!(server.events("personal_token_revoked").await, 0);
}

#[tokio::test]
async fn a_personal_token_opens_no_page() {
    let server = start(Options::without_limits()).await;
    let mut browser = signed_in(&server, ADA).await;
    let token = token_in(&make(&server, &mut browser, "a", "never").await);
    for page in [PAGE, "/dashboard/sessions"] {
        assert_eq!(request("GET", page).bearer(&token).send(server.address).await.status, 303);
    }
}
