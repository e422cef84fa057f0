//! The commands of the other tools' documents, typed as they are written there.

use everkey_tests::cli::Talk;
use everkey_tests::{ADA, Approval, Person, Setup, World, http};
use serde_json::json;

/// A world in which every tool's server is the one that there is.
fn world() -> World {
    let world = World::with(Setup::default());
    let server = world.proxy.url();
    world.put(
        "home/.achilles/config.json",
        &json!({ "profiles": { "default": { "server_url": server } } }).to_string(),
    );
    world.configure(&format!(
        "[profiles.binboi]\nprovider = \"binboi\"\nserver = \"{server}\"\n\
         [profiles.dot-ai]\nprovider = \"dot-ai\"\nserver = \"{server}\"\n"
    ));
    world
}

/// Reads on until a line has these words; the words after them.
fn after(talk: &mut Talk, words: &str) -> String {
    loop {
        if let Some((_, rest)) = talk.line().split_once(words) {
            return rest.trim().to_owned();
        }
    }
}

#[test]
fn achilles() {
    let world = world();
    let said = world.typed("achilles status").run().out;
    assert!(said.contains("Auth: Not logged in — run achilles login"), "{said}");
    let mut talk = world.typed("achilles login").talk();
    assert_eq!(after(&mut talk, "Authenticating with"), world.proxy.url());
    after(&mut talk, "Open this URL in your browser:");
    assert_eq!(talk.line(), format!("{}/cli/verify", world.proxy.url()));
    let code = after(&mut talk, "Enter code:");
    after(&mut talk, "Expires:");
    Person::sign_in(&world.server, ADA).decide(&code, Approval::Yes);
    after(&mut talk, "Logged in successfully");
    talk.finish().ok();
    let said = world.typed("achilles status").run().ok();
    for wanted in ["Server: ", "User: ", "Org: ", "Role: ", "● Backend connected"] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    let said = world.typed("achilles logout").run().ok();
    assert!(said.contains("✓ Logged out. Tokens cleared."), "{said}");
    assert!(world.typed("achilles status").run().out.contains("Not logged in"));
}

#[test]
fn binboi() {
    let world = world();
    let access = world.server.sign_in(ADA).access;
    let made = world.server.call("POST", "/api/v1/tokens", Some(&access), Some(&json!({}))).json();
    let token = made["token"].as_str().unwrap();
    world.typed("binboi whoami").run().exits(1);
    world.typed(&format!("binboi login --token {token}")).run().ok();
    let said = world.typed("binboi whoami").run().ok();
    assert!(said.contains(ADA) && !said.contains(token), "{said}");
    // A token of the environment comes first and is written nowhere.
    let file = world.home().join("home/.binboi/config.json");
    let before = std::fs::read(&file).unwrap();
    world.typed("binboi whoami").env("BINBOI_AUTH_TOKEN", "binboi_pat_00000000_0").run().exits(5);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn dot_ai() {
    let world = world();
    let said = world.typed("dot-ai auth status").run().out;
    assert!(
        said.contains("Not authenticated.\nRun 'dot-ai auth login' or set --token / DOT_AI_AUTH_TOKEN."),
        "{said}"
    );
    let mut talk = world.typed("dot-ai auth login --no-browser").talk();
    let url = format!("http{}", after(&mut talk, "http"));
    let back = Person::sign_in(&world.server, ADA).answer(&url, Approval::Yes);
    let at = back.find("/callback").unwrap();
    assert_eq!(http::call(&back[..at], "GET", &back[at..], None, None).status(), 200);
    talk.finish().ok();
    let said = world.typed("dot-ai auth status").run().ok();
    for wanted in
        ["OAuth session:", "Authenticated via: OAuth", "Token: ", "Token expires: ", "Status: Valid"]
    {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    world.typed("dot-ai auth logout").run().ok();
    assert!(world.typed("dot-ai auth status").run().out.contains("Not authenticated."));
    let expired = r#"{"access_token":"abcdefgh","token_type":"Bearer","expires_at":"2026-03-08T12:00:00Z"}"#;
    world.put("home/.config/dot-ai/credentials.json", expired);
    world.stop_agent();
    let said = world.typed("dot-ai auth status").run().out;
    assert!(said.contains("Status: EXPIRED — run 'dot-ai auth login' to re-authenticate"), "{said}");
}

#[test]
fn failproofai() {
    let world = world();
    world.typed("failproofai auth --whoami").run().exits(1);
    world.login();
    let said = world.typed("failproofai auth --whoami").run().ok();
    assert!(said.starts_with(ADA), "{said}");
    world.typed("failproofai auth --logout").run().ok();
    world.typed("failproofai auth --whoami").run().exits(1);
}
