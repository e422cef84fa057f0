//! The provider `oauth` when the server does not do what it is asked: a revocation, or a refresh without a token for it.

use crate::oauth::{session, signed_in, world_with};
use everkey_tests::{ADA, Account, Approval, Canned, Fault, Person, Setup, World, http, until};
use serde_json::{Value, json};

const REVOKE: &str = "/revoke";

fn logout(world: &World) -> Value {
    world.everkey("logout --profile mine --json").json()
}

/// The session lives at the server until the agent has told it again.
fn is_revoked_later(world: &World, account: &mut Account, access: &str) {
    let status = || http::call(world.server.url(), "GET", "/userinfo", Some(access), None).status();
    assert_eq!(account.status()["pending_revocations"], 1);
    assert_eq!(status(), 200, "the server has not revoked it");
    world.proxy.heal();
    until("the server to be told again", || account.status()["pending_revocations"] == 0);
    assert_eq!(status(), 401);
}

#[test]
fn n28_a_refused_revocation_is_told_again_and_not_called_revoked() {
    for (status, code) in [(401, "invalid_client"), (400, "unsupported_token_type"), (400, "invalid_request")]
    {
        let (world, mut account) = signed_in(Setup::default());
        let access = account.token();
        let body = json!({ "error": code, "error_description": access });
        world.proxy.every(REVOKE, Fault::Answer(Canned::json(status, &body)));
        let said = logout(&world);
        assert_eq!(said["revocation"], "not_confirmed", "{said}");
        assert_eq!(said["why"], format!("The api-server refused ({code})."));
        assert!(!said.to_string().contains(&access), "{said}");
        is_revoked_later(&world, &mut account, &access);
    }
}

#[test]
fn n15_a_busy_server_is_told_when_it_asks() {
    let (world, mut account) = signed_in(Setup::default());
    let busy = Canned::new(503, "text/html", &["Retry-After: 2"], "<p>busy</p>");
    world.proxy.every(REVOKE, Fault::Answer(busy));
    let access = account.token();
    let said = world.everkey("logout --profile mine").ok();
    assert!(said.contains("did not confirm that it has revoked the session."), "{said}");
    assert!(said.contains("asks to wait 2 seconds. The agent will go on asking for seven days."), "{said}");
    is_revoked_later(&world, &mut account, &access);
}

/// Signs in at a server that gives no refresh token.
fn signed_in_without_refresh() -> World {
    let (world, mut account) = world_with("device", Setup::default());
    world.proxy.every(
        "/token",
        Fault::Rewrite(|tokens| {
            tokens.as_object_mut().map(|tokens| tokens.remove("refresh_token"));
        }),
    );
    let step = account.login();
    Person::sign_in(&world.server, ADA).decide(step["user_code"].as_str().expect("a code"), Approval::Yes);
    assert_eq!(account.after(&step)["reply"], "done");
    world
}

#[test]
fn a_refresh_without_a_refresh_token_says_so() {
    let world = signed_in_without_refresh();
    assert_eq!(session(&world)["refresh"], Value::Null);
    let before = world.proxy.seen("/token").len();
    for words in ["refresh --profile mine", "refresh --profile mine --force"] {
        let refused = world.everkey(words).exits(1).complains("There is no refresh token");
        assert_eq!(refused.out, "");
        assert!(!refused.err.contains("not signed in"), "somebody is: {refused:?}");
        assert!(refused.err.contains("login --profile mine`"), "{refused:?}");
    }
    let refused = world.everkey("refresh --profile mine --json").exits(1).json();
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("needs_login")));
    world.everkey("token --profile mine").ok();
    assert_eq!(world.proxy.seen("/token").len(), before, "nothing was sent");
}
