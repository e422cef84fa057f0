//! What is handed out of a session that has ended, and what three commands say of it (N40); lifetimes that are none (N20).

use crate::oauth::{session, world_with};
use everkey_tests::account::Account;
use everkey_tests::person::{Approval, Person};
use everkey_tests::{ADA, Canned, Fault, Setup, World, until};
use serde_json::{Value, json};

/// `token`, `whoami` and `status` exit with this code, and hand out nothing unless it is 0.
fn all_exit(world: &World, profile: &str, code: i32) {
    let ask = |verb: &str| world.everkey(&format!("{verb} --profile {profile}"));
    let token = ask("token").exits(code);
    assert_eq!(token.out.is_empty(), code != 0, "{token:?}");
    ask("whoami").exits(code);
    ask("status").exits(code);
    ask("status --json").exits(code);
}

/// One line on standard error says that the session has ended though the token works.
fn warned(world: &World, words: &str) -> String {
    let said = world.everkey(words).exits(0);
    assert_eq!(said.err.lines().count(), 1, "{said:?}");
    assert!(
        said.err.starts_with("warning: the api-server has ended the session. The access token"),
        "{said:?}"
    );
    assert!(said.err.contains("login --profile mine`"), "{said:?}");
    said.out
}

pub fn signed_in_at_oauth(changed: fn(&mut Value)) -> (World, Account) {
    let (world, mut account) = world_with("device", Setup::default());
    world.proxy.every("/token", Fault::Rewrite(changed));
    let step = account.login();
    Person::sign_in(&world.server, ADA).decide(step["user_code"].as_str().expect("a code"), Approval::Yes);
    assert_eq!(account.after(&step)["reply"], "done");
    (world, account)
}

fn refuse_refreshes(world: &World) {
    let refused = json!({ "error": "invalid_grant", "error_description": "revoked" });
    world.proxy.every("/token", Fault::Answer(Canned::json(400, &refused)));
    world.everkey("refresh --force --profile mine").exits(1);
}

#[test]
fn n40_a_revoked_failproofai_session_hands_out_nothing() {
    let world = World::signed_in(Setup::default());
    let old = world.session().unwrap();
    let access = old["access_token"].as_str().unwrap();
    let body = json!({ "refresh_token": old["refresh_token"] });
    assert_eq!(world.server.call("POST", "/v0/auth/logout", Some(access), Some(&body)).status(), 204);
    assert_eq!(world.server.me(access), 401);
    world.everkey("auth refresh --force").exits(1);
    all_exit(&world, "failproofai", 1);
    let told = world.cli("auth token --refused -").stdin(access).run().exits(1);
    assert!(
        told.err.contains("the api-server has ended the session") && !told.err.contains("wait"),
        "{told:?}"
    );
    world.kill_agent();
    all_exit(&world, "failproofai", 1);
}

#[test]
fn n40_at_everkey_server_oauth_tokens_end_too() {
    let (world, mut account) = crate::oauth::signed_in(Setup::default());
    account.refresh();
    refuse_refreshes(&world);
    all_exit(&world, "mine", 1);
    let status = account.status();
    assert_eq!((&status["state"], &status["token_served"]), (&"needs_login".into(), &false.into()));
}

#[test]
fn n40_a_token_that_works_on_is_served_with_a_line() {
    let (world, mut account) = signed_in_at_oauth(|tokens| {
        tokens["access_token"] = json!("a-token-that-nobody-looks-up");
        tokens.as_object_mut().map(|tokens| tokens.remove("refresh_retry"));
    });
    refuse_refreshes(&world);
    assert_eq!(warned(&world, "token --profile mine").trim(), "a-token-that-nobody-looks-up");
    assert!(warned(&world, "whoami --profile mine").starts_with(ADA));
    assert!(warned(&world, "status --profile mine").contains("needs a new sign-in"));
    let token = world.everkey("token --json --profile mine").exits(0).json();
    assert_eq!(token["session_ended"], "the api-server has ended the session", "{token}");
    let whoami = world.everkey("whoami --json --profile mine").exits(0).json();
    assert_eq!(whoami["session_ended"], token["session_ended"], "{whoami}");
    let status = account.status();
    assert_eq!((&status["state"], &status["token_served"]), (&"needs_login".into(), &true.into()));

    world.cli("token --profile mine --refused -").stdin("a-token-that-nobody-looks-up").run().exits(1);
    all_exit(&world, "mine", 1);
}

#[test]
fn n40_status_knows_what_binbois_whoami_has_seen() {
    const ME: &str = "/api/v1/auth/me";
    let world = World::with(Setup::default());
    let url = world.proxy.url();
    world.configure(&format!("[profiles.binboi]\nprovider = \"binboi\"\nserver = \"{url}\"\n"));
    let access = world.server.sign_in(ADA).access;
    let made = world.server.call("POST", "/api/v1/tokens", Some(&access), Some(&json!({ "name": "x" })));
    let token = made.json()["token"].as_str().unwrap().to_owned();
    world.put("home/.binboi/config.json", &json!({ "token": token, "api_url": url }).to_string());
    assert_eq!(world.everkey("token --profile binboi").ok().trim(), token);
    world.proxy.every(ME, Fault::Answer(Canned::json(401, &json!({ "error": "unauthorized" }))));
    world.everkey("whoami --profile binboi").exits(5);
    all_exit(&world, "binboi", 5);
    assert_eq!(world.everkey("status --json --profile binboi").exits(5).json()["token_refused"], true);
    // That server says 401 to its own defects, too: nothing was removed, and it is asked anew.
    world.proxy.heal();
    assert_eq!(world.everkey("token --profile binboi").ok().trim(), token);
    all_exit(&world, "binboi", 0);
}

#[test]
fn n20_a_lifetime_of_nothing_is_used_until_refused() {
    let (world, mut account) = signed_in_at_oauth(|tokens| tokens["expires_in"] = json!(0));
    let before = world.proxy.seen("/token").len();
    let token = world.everkey("token --json --profile mine").exits(0).json();
    assert_eq!(
        (&token["expires_at"], session(&world)["access_expires_at"].clone()),
        (&Value::Null, Value::Null)
    );
    all_exit(&world, "mine", 0);
    let status = account.status();
    assert_eq!((&status["state"], &status["next_refresh_at"]), (&"valid".into(), &Value::Null), "{status}");
    assert_eq!(world.proxy.seen("/token").len(), before, "nothing is refreshed that nobody asked for");
    let first = account.token();
    let better = world.cli("token --profile mine --refused -").stdin(&first).run().exits(0).out;
    assert_ne!(better.trim(), first);
    let forced = world.everkey("refresh --force --json --profile mine").exits(0).json();
    assert_eq!(forced["access_expires_at"], Value::Null);
    let said = world.everkey("refresh --force --profile mine").exits(0).out;
    assert_eq!(said.trim(), "Refreshed.");
}

#[test]
fn n20_failproofais_file_survives_an_end_that_nobody_knows() {
    let world = World::with(Setup { refresh_gap_ms: Some(1), ..Setup::default() });
    let nothing: fn(&mut Value) = |tokens| {
        (tokens["access_expires_in"], tokens["refresh_expires_in"]) = (json!(0), json!(-1));
    };
    world.proxy.every(everkey_tests::REFRESH, Fault::Rewrite(nothing));
    world.login();
    world.everkey("auth refresh --force").ok();
    for restart in [false, true] {
        if restart {
            world.kill_agent();
        }
        assert_eq!(world.server.me(&world.token()), 200);
        until("the agent to be at rest", || world.state() == "valid");
        assert_eq!(world.status()["access_expires_at"], Value::Null);
        assert_eq!(world.proxy.refreshes(), 1, "only the one that was asked for");
    }
}
