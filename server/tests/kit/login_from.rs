//! Sign-ins with codes from addresses of one's choice.

use std::time::Duration;

use everkey_server::limits::Limits;
use serde_json::Value;

use crate::kit::server::{Options, Server, start};
use crate::kit::wire::{Answer, request};

/// A server with its real limits, whose clients' addresses the tests name.
pub async fn crowded() -> Server {
    let limits = Limits { code_cooldown: Duration::ZERO, ..Limits::default() };
    start(Options { limits, trusted: vec!["127.0.0.0/8"], ..Options::default() }).await
}

/// Asks for a code (`request`) or guesses one (`verify`) from this address.
pub async fn post(server: &Server, from: &str, what: &str, body: Value) -> Answer {
    let path = format!("/v0/auth/login/{what}");
    request("POST", &path).header("x-forwarded-for", from).json(&body).send(server.address).await
}

pub fn any_code_in(mail: &str) -> String {
    let bare = |line: &str| line.replace(' ', "");
    let is_code = |line: &String| matches!(line.len(), 6 | 16) && line.bytes().all(|b| b.is_ascii_digit());
    mail.lines().map(bare).find(is_code).unwrap_or_else(|| panic!("no code in {mail:?}"))
}
