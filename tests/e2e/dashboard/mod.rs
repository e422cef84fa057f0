//! The dashboard over HTTP, from outside: who gets in, what its routes answer, and that it tells no secret.

mod absent;
mod auth;
mod events;
mod gate;
mod reminder;
mod secrets;
mod sessions;
mod way_in;

use everkey_tests::http::Message;
use everkey_tests::{ADA, Tab, World};
use serde_json::{Value, json};

/// Routes that are only looked at.
const LOOKS: [&str; 10] = [
    "/",
    "/audit",
    "/access",
    "/activity",
    "/fragment/sessions",
    "/fragment/audit",
    "/fragment/access",
    "/fragment/activity",
    "/api/auth/status",
    "/api/auth/reminder",
];

/// Routes that change something.
const CHANGES: [(&str, &str); 12] = [
    ("POST", "/api/auth/login-request"),
    ("POST", "/api/auth/login-verify"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/reminder"),
    ("DELETE", "/api/auth/reminder"),
    ("POST", "/api/sessions/login"),
    ("POST", "/api/sessions/wait"),
    ("POST", "/api/sessions/answer"),
    ("POST", "/api/sessions/cancel"),
    ("POST", "/api/sessions/refresh"),
    ("POST", "/api/sessions/logout"),
    ("POST", "/api/agent/start"),
];

/// Asks for a code; the answer must be the contract's.
#[track_caller]
fn request_code(tab: &Tab, email: &str) -> Value {
    let answer = tab.post("/api/auth/login-request", &json!({ "email": email }));
    assert_eq!(answer.status(), 200, "{}", answer.json());
    answer.json()
}

/// Signs Ada in by the contract's routes.
#[track_caller]
fn sign_in(world: &World, tab: &Tab) -> Value {
    let before = world.server.codes(ADA).len();
    request_code(tab, ADA);
    let code = world.server.code_after(ADA, before);
    let answer = tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    assert_eq!(answer.status(), 200, "{}", answer.json());
    answer.json()
}

/// An answer is this problem, and says so in words.
#[track_caller]
fn is_problem(answer: &Message, status: u16, code: &str) -> Value {
    let said = answer.json();
    assert_eq!((answer.status(), said["code"].as_str()), (status, Some(code)), "{}: {said}", answer.start);
    assert!(said["message"].as_str().is_some_and(|message| !message.is_empty()), "{said}");
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    said
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}
