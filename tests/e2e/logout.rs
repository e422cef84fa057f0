//! Signing out: gone here at once, told to the server as soon as it can be (N26, N28).

use everkey_tests::{Setup, World, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

#[test]
fn signing_out_tells_the_server() {
    let world = World::signed_in(Setup::default());
    let access = world.session_text("access_token");
    let said = world.everkey("auth logout").ok();
    assert!(said.contains("has revoked the session"), "{said}");
    assert!(world.session().is_none());
    assert_eq!(world.server.me(&access), 401);
    assert_eq!(world.everkey("auth logout").ok(), "Nobody was signed in.");
    world.everkey("auth token").exits(1);
}

fn queued(world: &World) -> Vec<PathBuf> {
    let folders = fs::read_dir(world.home().join("state/revocations")).into_iter().flatten().flatten();
    folders
        .flat_map(|folder| fs::read_dir(folder.path()).unwrap().flatten())
        .map(|file| file.path())
        .collect()
}

#[test]
fn n28_signing_out_offline_is_told_later() {
    let mut world = World::signed_in(Setup::default());
    let access = world.session_text("access_token");
    world.proxy.go_away();
    let said = world.everkey("auth logout").ok();
    assert!(said.contains("the agent will go on telling it"), "{said}");
    assert!(world.session().is_none(), "gone here whatever the network says");
    world.everkey("auth token").exits(1);
    let files = queued(&world);
    assert_eq!(files.len(), 1);
    assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.status()["pending_revocations"], 1);
    assert_eq!(world.server.me(&access), 200);

    // It is not forgotten with the agent.
    world.kill_agent();
    assert_eq!(world.status()["pending_revocations"], 1);
    world.proxy.come_back();
    until("the server to know", || world.server.events("logout") == 1);
    until("the queue to be empty", || world.status()["pending_revocations"] == 0);
    assert!(queued(&world).is_empty());
    assert_eq!(world.server.me(&access), 401);
}

#[test]
fn n26_a_refresh_in_flight_comes_to_nothing_and_is_revoked() {
    let world = World::signed_in(Setup::default());
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    world.everkey("auth logout").ok();
    assert!(world.session().is_none());
    gate.open();
    caller.finish().exits(1);
    until("every session to be over", || world.server.sessions().iter().all(|s| !s["revoked_at"].is_null()));
    assert!(world.session().is_none(), "a late answer brings nothing back");
    assert_eq!(world.state(), "signed_out");
    world.server.assert_nothing_revoked();
}
