//! The authorization endpoint as a client and a user use it.

use crate::kit::browser::{Browser, between, token_in};
use crate::kit::oauth::{CHALLENGE, Client, REDIRECT, fields};
use crate::kit::server::Server;
use crate::kit::wire::Answer;

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
pub fn led(answer: &Answer) -> (String, Vec<(String, String)>) {
    answer.expect(303);
    let url = url::Url::parse(answer.header("location").unwrap()).unwrap();
    let pairs = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    (url.as_str().split('?').next().unwrap().to_owned(), pairs)
}

#[track_caller]
pub fn value(answer: &Answer, name: &str) -> Option<String> {
    let (_, pairs) = led(answer);
    let mut found = pairs.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value);
    let first = found.next();
    assert!(found.next().is_none(), "{name} twice in {answer:?}");
    first
}

/// The page asks; the user answers.
pub async fn answer(browser: &mut Browser, server: &Server, ask: &str, answer: &str) -> Answer {
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
pub fn expect_page(answer: &Answer, status: u16) {
    answer.expect(status);
    assert!(answer.header("location").is_none(), "{answer:?}");
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
}
