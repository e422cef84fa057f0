//! Text from a server is hostile until it is stripped (S01).

use everkey_tests::process::peak_memory_kib;
use everkey_tests::{ADA, Canned, Fault, World};
use serde_json::{Value, json};

const REQUEST: &str = "/v0/auth/login/request";
const VERIFY: &str = "/v0/auth/login/verify";

/// Clears the screen, turns it red, rings the bell, retitles the window, and hides what follows.
const ANSI: &str = "\u{1b}[2J\u{1b}[31mboo\u{7}\u{1b}]0;owned\u{7}\u{9b}8m\r\u{8}";

fn assert_harmless(text: &str) {
    let hostile = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(hostile), "{text:?}");
}

#[test]
fn s01_control_characters_in_an_account_reach_no_terminal() {
    let world = World::new();
    let hostile = |answer: &mut Value| {
        answer["user"]["email"] = format!("{ANSI}@example.com").into();
    };
    world.proxy.every(VERIFY, Fault::Rewrite(hostile));
    let mut talk = world.start("auth login");
    talk.say(ADA);
    talk.say(&world.server.code_after(ADA, 0));
    let said = talk.finish();
    assert_harmless(&said.out);
    assert_harmless(&said.err);
    assert_harmless(&world.agent_log());
    for words in ["auth whoami", "auth status", "auth status --json", "auth whoami --json", "auth login"] {
        let said = world.everkey(words);
        assert_harmless(&said.out);
        assert_harmless(&said.err);
    }
}

#[test]
fn s01_errors_are_stripped_and_bounded() {
    let world = World::new();
    let code = format!("{ANSI}{}", "x".repeat(20_000));
    for (status, kind) in [(403, "application/json"), (418, "application/json"), (429, "application/json")] {
        let body = json!({ "code": code, "message": code, "retry_after_secs": 1e300 });
        world.proxy.next(REQUEST, Fault::Answer(Canned::new(status, kind, &[], &body.to_string())));
        let said = world.cli("auth login").stdin(&format!("{ADA}\n")).run();
        assert!(said.code == 5 || said.code == 6, "{said:?}");
        assert_harmless(&said.err);
        assert!(said.err.len() < 500, "{} bytes", said.err.len());
    }
}

#[test]
fn s01_answers_without_an_end_are_cut_off() {
    let world = World::new();
    world.everkey("agent start").ok();
    let before = peak_memory_kib(world.agent_pid());
    let huge = json!({ "status": "code_sent", "more": "x".repeat(64 << 20) });
    world.proxy.next(REQUEST, Fault::Answer(Canned::json(200, &huge)));
    world.cli("auth login").stdin(&format!("{ADA}\n")).run().exits(4);
    let after = peak_memory_kib(world.agent_pid());
    assert!(after < before + 32 * 1024, "{before} KiB became {after}");
}

#[test]
fn s01_tokens_that_cannot_stand_on_a_line_are_no_tokens() {
    let world = World::new();
    let split = |answer: &mut Value| answer["access_token"] = "a\nb\u{1b}[31m".into();
    world.proxy.next(VERIFY, Fault::Rewrite(split));
    let mut talk = world.start("auth login --json");
    talk.json();
    talk.say(ADA);
    talk.json();
    talk.say(&world.server.code_after(ADA, 0));
    assert_eq!(talk.json()["code"], "offline");
    talk.finish().exits(4);
    assert!(world.session().is_none());
}
