//! binboi's routes for personal access tokens.

use serde_json::Value;

use crate::kit::server::{Server, SignedIn};
use crate::kit::wire::{Answer, request};

pub const ME: &str = "/api/v1/auth/me";

pub const TOKENS: &str = "/api/v1/tokens";

pub async fn make(server: &Server, me: &SignedIn, body: &Value) -> Answer {
    request("POST", TOKENS).bearer(&me.access).json(body).send(server.address).await
}

pub async fn revoke(server: &Server, me: &SignedIn, id: &str) -> Answer {
    request("DELETE", &format!("{TOKENS}/{id}")).bearer(&me.access).send(server.address).await
}

/// Checks an error in binboi's plain shape.
#[track_caller]
pub fn expect_plain(answer: &Answer, status: u16) {
    answer.expect(status);
    let body = answer.json();
    assert!(!body["error"].as_str().unwrap().is_empty(), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
}
