//! The provider `oauth` with everkey-server as the issuer: what it promises of lost answers is found and used.

use everkey_tests::account::Account;
use everkey_tests::person::{Approval, Person};
use everkey_tests::{ADA, Fault, Setup, World, http, until};
use serde_json::{Value, json};

/// A world with the profile `mine`, which signs in so at the world's own server.
fn world(scheme: &str) -> (World, Account) {
    world_with(scheme, Setup::default())
}

pub fn world_with(scheme: &str, setup: Setup) -> (World, Account) {
    let world = World::with(Setup { refresh_gap_ms: Some(100), ..setup });
    let (url, text) = (world.proxy.url(), "[profiles.mine]\nprovider = \"oauth\"\n");
    let text = format!("{text}issuer = \"{url}\"\nscheme = \"{scheme}\"\n");
    std::fs::write(world.home().join("config.toml"), text).expect("a configuration");
    let account = Account::of(&world, "mine");
    (world, account)
}

pub fn session(world: &World) -> Value {
    let bytes = std::fs::read(world.home().join("state/sessions/mine.json")).expect("a session file");
    serde_json::from_slice(&bytes).expect("any reader sees a complete file (I7)")
}

/// What must hold once somebody is signed in, to the sign-out.
fn lives(world: &World, account: &mut Account) {
    assert_eq!(account.request("whoami")["email"], ADA);
    let endpoints = session(world)["registration"]["endpoints"].clone();
    assert_eq!(endpoints["session"], format!("{}/v0/auth/session", world.proxy.url()));
    for _ in 0..3 {
        let before = session(world)["refresh"].clone();
        account.refresh();
        assert_ne!(session(world)["refresh"], before, "it rotates");
    }
    let told = http::call(world.server.url(), "GET", "/userinfo", Some(&account.token()), None);
    assert_eq!((told.status(), &told.json()["email"]), (200, &json!(ADA)));
    let access = account.token();
    assert_eq!(account.request("logout")["revocation"], "revoked");
    let told = http::call(world.server.url(), "GET", "/userinfo", Some(&access), None);
    assert_eq!(told.status(), 401);
    world.server.assert_nothing_revoked();
}

#[test]
fn everkey_server_is_an_issuer_for_devices() {
    let (world, mut account) = world("device");
    let step = account.login();
    let code = step["user_code"].as_str().unwrap_or_else(|| panic!("{step}"));
    Person::sign_in(&world.server, ADA).decide(code, Approval::Yes);
    let done = account.after(&step);
    assert_eq!(done["user"]["email"], ADA, "{done}");
    lives(&world, &mut account);
}

#[test]
fn everkey_server_is_an_issuer_for_browsers() {
    let (world, mut account) = world("browser");
    let step = account.login();
    let url = step["url"].as_str().unwrap_or_else(|| panic!("{step}"));
    let back = Person::sign_in(&world.server, ADA).answer(url, Approval::Yes);
    // The other way to come back: pasted.
    let done = account.answer(&step, &back);
    assert_eq!(done["user"]["email"], ADA, "{done}");
    lives(&world, &mut account);
}

/// Signs in by device code, with a server that behaves so.
pub fn signed_in(setup: Setup) -> (World, Account) {
    let (world, mut account) = world_with("device", setup);
    let step = account.login();
    Person::sign_in(&world.server, ADA).decide(step["user_code"].as_str().expect("a code"), Approval::Yes);
    let done = account.after(&step);
    assert_eq!(done["user"]["email"], ADA, "{done}");
    (world, account)
}

#[test]
fn n02_a_lost_answer_of_an_issuer_gives_the_same_successor() {
    let (world, mut account) = signed_in(Setup::default());
    let before = world.proxy.seen("/token").len();
    world.proxy.next("/token", Fault::LoseAnswer);
    account.refresh();
    let sent = world.proxy.seen("/token").split_off(before);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body, "the same token");
    assert!(sent[0].header("idempotency-key").is_some_and(|key| key.len() >= 32));
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert_eq!(world.server.events("repeat_answered"), 1);
    world.server.assert_nothing_revoked();
    account.refresh();
}

#[test]
fn n02_a_strict_issuer_is_probed_before_resending() {
    let (world, mut account) = signed_in(Setup { strict: true, ..Setup::default() });
    account.refresh();
    let before = world.proxy.seen("/token").len();
    world.proxy.next("/token", Fault::LoseRequest);
    account.ask("refresh", &json!({ "force": true }));
    until("the refresh to be made up for", || account.status()["state"] == "valid");
    assert_eq!(world.proxy.seen("/token").len() - before, 2, "the lost one and another");
    assert!(!world.proxy.seen("/v0/auth/session").is_empty(), "the server was asked what it did");
    world.server.assert_nothing_revoked();
}
