//! Errors are pages for people and JSON for programs, and neither tells more than it should.

use crate::kit::browser::{Browser, signed_in};
use crate::kit::server::{Options, start};
use crate::kit::wire::{Answer, request};

#[track_caller]
fn expect_page(answer: &Answer, status: u16) {
    answer.expect(status);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{answer:?}");
    assert!(answer.header("content-security-policy").is_some());
    assert!(answer.body.contains("<h1>") && answer.body.contains("lang=\"en\""), "{answer:?}");
}

#[tokio::test]
async fn a_browser_gets_pages() {
    let server = start(Options::default()).await;
    let mut browser = Browser::new();
    expect_page(&browser.get(&server, "/nope").await, 404);
    expect_page(&browser.get(&server, "/dashboard/nope").await, 404);
    expect_page(&browser.get(&server, "/assets/nope").await, 404);
    let wrong = browser.get(&server, "/signout").await;
    expect_page(&wrong, 405);
    assert_eq!(wrong.header("allow"), Some("POST"));
    let sent = browser.request("DELETE", "/signin");
    expect_page(&browser.send(&server, sent).await, 405);
    let mut mine = signed_in(&server, "ada@example.com").await;
    expect_page(&mine.post(&server, "/signout", &[]).await, 403);
    let large = "x".repeat(20_000);
    expect_page(&mine.post(&server, "/signout", &[("csrf", &large)]).await, 413);
}

#[tokio::test]
async fn programs_get_json_whatever_they_say_they_accept() {
    let server = start(Options::default()).await;
    request("GET", "/nope").send(server.address).await.expect_error(404, "not_found");
    request("GET", "/nope").header("accept", "*/*").send(server.address).await.expect_error(404, "not_found");
    for (method, path, status, code) in [
        ("GET", "/v0/nope", 404, "not_found"),
        ("GET", "/api/nope", 404, "not_found"),
        ("GET", "/.well-known/nope", 404, "not_found"),
        ("GET", "/v0/auth/login/request", 405, "method_not_allowed"),
        ("GET", "/v0/auth/me", 401, "unauthorized"),
    ] {
        // What an old Java client says.
        let odd = request(method, path).header("accept", "text/html, image/gif, *; q=.2, */*; q=.2");
        odd.send(server.address).await.expect_error(status, code);
    }
}

#[tokio::test]
async fn an_error_repeats_nothing() {
    let server = start(Options::default()).await;
    let page = Browser::new().get(&server, "/%3Cscript%3Ehunter2%3C/script%3E?x=hunter2").await;
    expect_page(&page, 404);
    assert!(!page.body.contains("hunter2") && !page.body.contains("<script"), "{page:?}");
}
