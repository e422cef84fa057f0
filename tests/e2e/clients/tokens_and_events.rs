//! Tokens that a server refuses, and events.

use super::driver::{Driver, Language, driver, text_of};
use everkey_tests::{ADA, Setup, World, until};
use serde_json::json;

pub fn ten_callers_with_a_refused_token_get_one_better_one(language: Language) {
    let world = World::signed_in(Setup::default());
    let old = world.session_text("access_token");
    let gate = world.proxy.hold_refresh_answer();
    let mut driver = driver(&world, language);
    driver.connect();
    driver.0.say(&json!({ "do": "crowd", "callers": 10, "than": old }).to_string());
    gate.reached();
    until("ten callers to wait", || world.times_asked("better") == 10);
    gate.open();
    let tokens = driver.0.json();
    let tokens: Vec<String> =
        tokens["ok"].as_array().unwrap_or_else(|| panic!("{tokens}")).iter().map(text_of).collect();
    assert_eq!(tokens.len(), 10);
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.server.me(&tokens[0]), 200);
    assert_eq!(world.server.events("rotated"), 1);
    // Who comes late with the same news gets the same token, and one that is just new is not replaced.
    assert_eq!(text_of(&driver.ok(&json!({ "do": "better", "than": old }))), tokens[0]);
    let newest = json!({ "do": "better", "than": tokens[0] });
    assert_eq!(driver.fails(&newest, "only a moment ago"), "rate_limited");
    assert_eq!(world.server.events("rotated"), 1);
    driver.finish();
}

pub fn follows_what_happens(language: Language) {
    let world = World::signed_in(Setup::default());
    let mut driver = driver(&world, language);
    driver.connect();
    let follow = |driver: &mut Driver, count: u32| {
        let times = || world.agent_log().matches("follows what happens").count();
        let before = times();
        driver.0.say(&json!({ "do": "events", "past": true, "count": count }).to_string());
        until("it to follow", || times() > before);
    };
    follow(&mut driver, 3);
    let token = world.token();
    world.everkey("auth refresh --force").ok();
    let answer = driver.0.json();
    let events = answer["ok"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signed_in", "handed", "refreshed"]);
    assert_eq!((&events[0]["profile"], &events[0]["user"]["email"]), (&json!("failproofai"), &json!(ADA)));
    assert!(!answer.to_string().contains(&token) && events[0].get("reply").is_none(), "{answer}");

    for (end, code, words) in [
        (World::stop_agent as fn(&World), "busy", "shutting down"),
        (World::kill_agent, "no_agent", "has ended"),
    ] {
        world.agent_pid();
        follow(&mut driver, 1000);
        end(&world);
        let answer = driver.0.json();
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}");
        driver.connect();
    }
    driver.finish();
}
