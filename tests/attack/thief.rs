//! What a stolen token is good for.

use everkey_tests::binaries::Binaries;
use everkey_tests::http::Message;
use everkey_tests::server::{IssuedTokens, Server};
use everkey_tests::setup::Setup;
use everkey_tests::wait::{eventually, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ADA: &str = "ada@example.com";
const TOKENS: &str = "/api/v1/tokens";

/// A server with these limits, and somebody whose session a thief has a copy of.
fn stolen(limits: &'static str) -> (TempDir, Server, IssuedTokens) {
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { limits, ..Setup::default() };
    let server = Server::start(&Binaries::find(), folder.path(), &setup);
    let session = server.sign_in(ADA);
    (folder, server, session)
}

fn refresh(server: &Server, token: &str, key: char) -> Message {
    let key = key.to_string().repeat(64);
    server.call_with(
        "POST",
        "/v0/auth/token/refresh",
        &[("Idempotency-Key", &key)],
        &json!({ "refresh_token": token }),
    )
}

fn make(server: &Server, access: &str) -> Message {
    server.call("POST", TOKENS, Some(access), Some(&json!({ "name": "http://evil.example now" })))
}

fn opens(server: &Server, token: &Value) -> bool {
    server.call("GET", "/api/v1/auth/me", token.as_str(), None).status() == 200
}

#[test]
fn a_stolen_access_token_makes_a_lasting_one() {
    let (_folder, server, session) = stolen("fresh_sign_in = \"1s\"");
    let signed_in = Instant::now();
    until("the sign-in to be an old one", || signed_in.elapsed() > Duration::from_secs(2));
    let refreshed = IssuedTokens::of(&server.refresh(&session.refresh));
    for access in [&session.access, &refreshed.access] {
        let refused = make(&server, access);
        assert_eq!((refused.status(), &refused.json()["code"]), (403, &json!("SIGN_IN_REQUIRED")));
    }
    assert_eq!(server.events("personal_token_made"), 0);
}

#[test]
fn a_token_of_the_first_minutes_outlives_the_alarm() {
    let (_folder, server, session) = stolen("");
    let other = server.sign_in(ADA);
    let theirs = make(&server, &session.access).json();
    let owners = make(&server, &other.access).json();
    assert!(theirs["record"]["expiresAt"].is_string(), "it lapses: {theirs}");
    IssuedTokens::of(&server.refresh(&session.refresh));
    assert_eq!(server.refresh(&session.refresh).status(), 401);
    assert_eq!(server.events("replay_revoked_all"), 1);
    assert!(!opens(&server, &theirs["token"]) && opens(&server, &owners["token"]));
    let alarm = eventually("a letter about the theft", || {
        server.letters(ADA).into_iter().find(|letter| letter.contains("used by two parties"))
    });
    assert!(alarm.contains(theirs["record"]["prefix"].as_str().expect("a prefix")), "{alarm}");
    assert!(!alarm.contains("evil.example") && !alarm.contains(theirs["token"].as_str().expect("a token")));
}

#[test]
fn a_mailbox_is_flooded_through_ones_account() {
    let (_folder, server, session) = stolen("letters_per_user = { max = 2, window = \"1d\" }");
    for _ in 0..4 {
        let made = make(&server, &session.access).json();
        let path = format!("{TOKENS}/{}", made["record"]["id"].as_str().expect("an id"));
        assert_eq!(server.call("DELETE", &path, Some(&session.access), None).status(), 200);
    }
    let told = || -> Vec<bool> {
        let about = server.letters(ADA).into_iter().filter(|letter| letter.contains("access token was made"));
        about.map(|letter| letter.contains("withheld")).collect()
    };
    eventually("the last letter", || (told().len() >= 2).then_some(()));
    // Its code comes after whatever was left in the outbox before.
    server.sign_in(ADA);
    assert_eq!(told(), [false, true]);
}

#[test]
#[ignore = "long: ./dev attack"]
fn a_dormant_thief_keeps_the_owner_at_409() {
    let (_folder, server, session) = stolen("contested_rotation = \"11s\"");
    let thief = IssuedTokens::of(&refresh(&server, &session.refresh, 't'));
    assert_eq!(refresh(&server, &session.refresh, 'o').status(), 409);
    IssuedTokens::of(&refresh(&server, &session.refresh, 't'));
    eventually("the alarm", || (refresh(&server, &session.refresh, 'o').status() == 401).then_some(()));
    assert_eq!(server.events("replay_revoked_session"), 1);
    assert_eq!(server.me(&thief.access), 401);
    for (token, key) in [(&session.refresh, 't'), (&thief.refresh, 't'), (&session.refresh, 'o')] {
        assert_eq!(refresh(&server, token, key).status(), 401);
    }
}
