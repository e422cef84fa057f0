//! The api-server is told, as often as it takes.

use super::{account, at_server, content, reminder, set, until_told};
use everkey_tests::{ADA, Canned, Fault, Setup, World, until};
use serde_json::{Value, json};

const REMINDERS: &str = "/v0/reminders";

#[test]
fn the_server_learns_when_a_reminder_is_set_or_cleared() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    let at = set(&mut account, &json!({ "in_days": 7 }))["at"].clone();
    until_told(&mut account);
    assert_eq!(at_server(&world), at);
    let answer = account.request("clear_reminder");
    assert_eq!((&answer["reply"], &answer["reminder"]), (&json!("reminder"), &Value::Null), "{answer}");
    assert_eq!(content(&world), None);
    until("the api-server to forget it", || at_server(&world) == Value::Null);
    assert_eq!(reminder(&mut account), Value::Null);
}

#[test]
fn a_reminder_set_offline_is_answered_now_and_reported_later() {
    let mut world = World::signed_in(Setup::default());
    let mut account = account(&world);
    world.proxy.go_away();
    let set = set(&mut account, &json!({ "in_days": 7 }));
    assert_eq!(set["upstream"], "pending", "{set}");
    assert_eq!(content(&world).unwrap()["next_audit_at"], set["at"]);
    world.proxy.come_back();
    until_told(&mut account);
    assert_eq!(at_server(&world), set["at"]);
}

#[test]
fn changes_owed_to_the_server_survive_a_killed_agent() {
    let mut world = World::signed_in(Setup::default());
    world.proxy.go_away();
    let at = set(&mut account(&world), &json!({ "in_days": 7 }))["at"].clone();
    world.kill_agent();
    world.proxy.come_back();
    let mut account = account(&world);
    until_told(&mut account);
    assert_eq!(at_server(&world), at);

    world.proxy.go_away();
    let answer = account.request("clear_reminder");
    assert_eq!(answer["reminder"], Value::Null, "{answer}");
    world.kill_agent();
    world.proxy.come_back();
    world.everkey("agent start").ok();
    until("the api-server to forget it", || at_server(&world) == Value::Null);
    assert_eq!(content(&world), None);
}

#[test]
fn a_captive_portal_or_failing_server_is_no_answer() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    world.proxy.next(REMINDERS, Fault::Answer(Canned::captive_portal()));
    world.proxy.next(REMINDERS, Fault::Answer(Canned::json(500, &json!({ "code": "internal" }))));
    world.proxy.next(REMINDERS, Fault::LoseAnswer);
    let at = set(&mut account, &json!({ "in_days": 7 }))["at"].clone();
    until_told(&mut account);
    assert_eq!(world.proxy.seen(REMINDERS).len(), 4);
    assert_eq!(at_server(&world), at);
}

#[test]
fn only_the_last_of_several_matters() {
    let mut world = World::signed_in(Setup::default());
    let mut account = account(&world);
    world.proxy.go_away();
    set(&mut account, &json!({ "in_days": 7 }));
    account.request("clear_reminder");
    let at = set(&mut account, &json!({ "in_days": 9 }))["at"].clone();
    world.proxy.come_back();
    until_told(&mut account);
    assert_eq!(at_server(&world), at);
}

/// What the api-server knows, asked with another session of hers than the agent's.
fn known_elsewhere(world: &World) -> Value {
    let other = world.server.sign_in(ADA);
    world.server.call("GET", REMINDERS, Some(&other.access), None).json()["reminder"].clone()
}

#[test]
fn a_clear_before_a_sign_out_always_reaches_the_server() {
    let mut world = World::signed_in(Setup::default());
    set(&mut account(&world), &json!({ "in_days": 7 }));
    until_told(&mut account(&world));
    assert_ne!(known_elsewhere(&world), Value::Null);
    world.proxy.go_away();
    world.everkey("reminder clear").ok();
    let said = world.everkey("auth logout").ok();
    assert!(said.contains("the agent will go on telling it"), "{said}");
    world.kill_agent();
    world.proxy.come_back();
    world.everkey("agent start").ok();
    until("the session to be revoked", || world.server.events("logout") == 1);
    assert_eq!(known_elsewhere(&world), Value::Null);

    world.login();
    set(&mut account(&world), &json!({ "in_days": 7 }));
    until_told(&mut account(&world));
    world.everkey("reminder clear").ok();
    let said = world.everkey("auth logout").ok();
    assert!(said.contains("has revoked the session"), "{said}");
    assert_eq!(known_elsewhere(&world), Value::Null);
}
