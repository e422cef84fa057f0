//! The agent dies or is asked to end in the middle of a refresh (N07, F08, N16).

use everkey_tests::lines::Lines;
use everkey_tests::process::is_alive;
use everkey_tests::{ADA, REFRESH, Setup, World, until};
use rustix::process::Signal;
use std::fs;

fn leftovers(world: &World) -> Vec<String> {
    let names =
        fs::read_dir(world.auth_dir()).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
    names.filter(|name| name != "auth.json" && name != ".auth.json.everkey-lock").collect()
}

/// Somebody who asks for a refresh and, unlike `everkey`, does not ask the next agent if this one ends.
fn asks_once(world: &World) -> Lines {
    let mut lines = world.lines();
    lines.send(b"{\"request\":\"refresh\",\"force\":true}\n");
    lines
}

#[test]
fn n05_killed_before_the_answer_came_loses_no_session() {
    let world = World::signed_in(Setup::default());
    let refresh = world.session_text("refresh_token");
    let gate = world.proxy.hold_refresh_answer();
    let caller = asks_once(&world);
    gate.reached();
    world.kill_agent();
    drop(caller);
    gate.open();
    assert_eq!(world.session_text("refresh_token"), refresh);

    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    until("the successor in the file", || world.session_text("refresh_token") != refresh);
    let sent = world.proxy.seen(REFRESH);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert_eq!((world.server.events("rotated"), world.server.events("repeat_answered")), (1, 1));
    world.server.assert_nothing_revoked();
    assert_eq!(world.server.me(&world.token()), 200);
    until("nothing to be left behind", || leftovers(&world).is_empty());
}

#[test]
fn n05_killed_before_the_answer_strict_servers_are_probed_first() {
    let world = World::signed_in(Setup { strict: true, ..Setup::default() });
    let gate = world.proxy.hold_refresh_answer();
    let caller = asks_once(&world);
    gate.reached();
    world.kill_agent();
    drop(caller);
    gate.open();
    world.until_state("needs_login");
    assert_eq!(world.proxy.refreshes(), 1);
    world.server.assert_nothing_revoked();
}

#[test]
fn n07_sigterm_waits_for_the_answer_and_stores_it() {
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    let mut agent = world.foreground_agent();
    let refresh = world.session_text("refresh_token");
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    agent.signal(Signal::TERM);
    until("the agent to turn others away", || world.agent_log().contains("stopping"));
    assert!(agent.is_running());
    gate.open();
    assert!(agent.ended().success());
    caller.finish();
    assert_ne!(world.session_text("refresh_token"), refresh);
    assert!(leftovers(&world).is_empty(), "{:?}", leftovers(&world));
    world.everkey("auth whoami").ok();
    assert_eq!((world.proxy.refreshes(), world.server.events("rotated")), (1, 1));
}

#[test]
fn n07_sigterm_without_an_answer_leaves_the_intent() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let refresh = world.session_text("refresh_token");
    let gate = world.proxy.hold_refresh_answer();
    let caller = asks_once(&world);
    gate.reached();
    everkey_tests::process::signal(pid, Signal::TERM);
    until("the agent to give up waiting", || !is_alive(pid));
    drop(caller);
    assert!(leftovers(&world).iter().any(|name| name.contains("journal")), "{:?}", leftovers(&world));
    gate.open();

    world.everkey("auth whoami").ok();
    until("the successor in the file", || world.session_text("refresh_token") != refresh);
    assert_eq!(world.server.events("rotated"), 1);
    world.server.assert_nothing_revoked();
}

#[test]
fn n16_a_server_killed_half_way_is_asked_again() {
    let mut world = World::signed_in(Setup::default());
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    world.server.kill();
    world.proxy.next(REFRESH, everkey_tests::Fault::LoseAnswer);
    gate.open();
    caller.finish().ok();
    // Its answer had reached the proxy; the next one finds nobody, then a new process on the same database.
    let caller = world.start("auth refresh --force");
    until("a request that nobody answers", || world.proxy.refreshes() >= 2);
    world.server.start_again();
    world.proxy.set_upstream(world.server.url());
    caller.finish();
    world.until_state("valid");
    until("the second rotation", || world.server.events("rotated") == 2);
    world.server.assert_nothing_revoked();
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn f08_what_a_crash_left_half_written_is_cleared_away() {
    let world = World::signed_in(Setup::default());
    world.kill_agent();
    for name in [".auth.json.abcdefgh.everkey-tmp", "..auth.json.everkey-journal.abcdefgh.everkey-tmp"] {
        fs::write(world.auth_dir().join(name), "half a sess").unwrap();
    }
    fs::write(world.auth_dir().join("mine.everkey-tmp"), "not everkey's").unwrap();
    world.everkey("auth whoami").ok();
    assert_eq!(leftovers(&world), ["mine.everkey-tmp"]);
}
