//! Sessions that are over, lost, in doubt, offline, or about to need a person.

use super::{doctor, kinds, note, problem};
use crate::ended::signed_in_at_oauth;
use everkey_tests::server::IssuedTokens;
use everkey_tests::{Fault, REFRESH, Setup, World, until};
use serde_json::Value;
use std::fs;

#[test]
fn a_session_that_the_server_ended_is_told() {
    let world = World::signed_in(Setup::default());
    let session = world.session().unwrap();
    let text = |field: &str| session[field].as_str().unwrap().to_owned();
    let tokens =
        IssuedTokens { answer: Value::Null, access: text("access_token"), refresh: text("refresh_token") };
    world.server.end_session(&tokens);
    world.everkey("refresh --force").exits(1);
    problem(
        &world,
        "session_ended",
        "The session of failproofai is over",
        "everkey login --profile failproofai",
    );
}

#[test]
fn a_session_that_was_removed_is_told() {
    let world = World::signed_in(Setup::default());
    fs::remove_file(world.auth_file()).unwrap();
    world.until_state("signed_out");
    note(&world, "not_signed_in", "Nobody is signed in to failproofai", "everkey login");
}

#[test]
fn a_refresh_that_failed_is_told_with_its_reason() {
    let mut world = World::signed_in(Setup::default());
    world.proxy.go_away();
    world.everkey("refresh --force").exits(4);
    problem(&world, "offline", "Connection refused", "tried again within a minute");
    let shown = world.everkey("doctor").out;
    assert!(shown.contains("last error: ") && shown.contains("next step: "), "{shown}");
}

#[test]
fn a_refresh_in_doubt_is_told_with_what_may_follow() {
    let world = World::new();
    let promise_nothing = |answer: &mut Value| {
        answer.as_object_mut().map(|answer| answer.remove("refresh_retry"));
    };
    world.proxy.every("/v0/auth/login/verify", Fault::Rewrite(promise_nothing));
    world.login();
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    let caller = world.start("refresh");
    world.until_state("uncertain");
    problem(&world, "in_doubt", "no clear answer came back", "finds out by itself");
    note(&world, "sign_in_ahead", "failproofai may need a sign-in by", "everkey login --profile failproofai");
    caller.kill();
}

#[test]
fn a_sign_out_that_is_not_confirmed_is_told() {
    let mut world = World::signed_in(Setup::default());
    world.proxy.go_away();
    world.everkey("logout").ok();
    note(&world, "sign_out_pending", "1 sign-out(s) of failproofai", "seven days");
    world.proxy.come_back();
    until("the sign-out to be confirmed", || !kinds(&doctor(&world)).contains(&"sign_out_pending"));
}

#[test]
fn a_replay_rule_that_nobody_knows_is_told() {
    let (world, _account) = signed_in_at_oauth(|tokens| {
        tokens.as_object_mut().map(|tokens| tokens.remove("refresh_retry"));
    });
    note(&world, "replay_unknown", "refresh token that comes twice", "write `replay` into the profile");
    let config = fs::read_to_string(world.home().join("config.toml")).unwrap();
    world.configure(&format!("{config}replay = \"strict_family\"\n"));
    until("the rule to count", || !kinds(&doctor(&world)).contains(&"replay_unknown"));
}
