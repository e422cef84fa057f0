//! Whoever asks for a token, and whatever becomes of them: one refresh (N01, N06, D08).

use everkey_tests::process::signal;
use everkey_tests::{Setup, World, until};
use rustix::process::Signal;

#[test]
fn n01_fifty_callers_one_refresh() {
    let world = World::with(Setup { access_ttl: "6s", ..Setup::default() });
    let gate = world.proxy.hold_refresh_answer();
    world.login();
    // Half of its short life is over: the token must be refreshed, and nobody can be answered before it is.
    gate.reached();
    let old = world.session_text("access_token");
    let callers: Vec<_> = (0..50).map(|_| world.start("auth token")).collect();
    until("fifty callers to wait", || world.times_asked("token") == 50);
    gate.open();

    let tokens: Vec<_> = callers.into_iter().map(|caller| caller.finish().ok()).collect();
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.proxy.refreshes(), 1);
    assert_eq!(world.server.events("rotated"), 1);
}

#[test]
fn n01_fifty_callers_after_the_expiry_while_the_agent_was_down() {
    let world = World::signed_in(Setup { access_ttl: "2s", ..Setup::default() });
    world.stop_agent();
    let before = world.server.events("rotated");
    until("the token to expire", || world.server.me(&world.session_text("access_token")) == 401);

    let callers: Vec<_> = (0..50).map(|_| world.start("auth token --min-validity 1s")).collect();
    let tokens: Vec<_> = callers.into_iter().map(|caller| caller.finish()).collect();
    let fresh: Vec<_> = tokens.iter().filter(|output| output.code == 0).collect();
    assert!(!fresh.is_empty(), "{tokens:?}");
    assert!(fresh.iter().all(|output| output.out == fresh[0].out));
    assert_eq!(world.server.events("rotated"), before + 1);
}

#[test]
fn n06_a_refresh_outlives_its_caller() {
    let world = World::signed_in(Setup::default());
    let old = world.session_text("refresh_token");
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    caller.kill();
    gate.open();

    until("the new session in the file", || world.session_text("refresh_token") != old);
    assert_eq!(world.server.events("rotated"), 1);
    assert_eq!(world.proxy.refreshes(), 1);
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn a_refresh_too_soon_says_how_long_to_wait() {
    let world = World::signed_in(Setup::default());
    world.everkey("auth refresh").ok();
    let refused = world.everkey("auth refresh").exits(6).complains("only a moment ago");
    assert!(refused.err.contains("--force"), "{refused:?}");
    world.everkey("auth refresh --force").ok();
    assert_eq!(world.proxy.refreshes(), 2);
}

#[test]
fn d08_a_stuck_agent_is_reported_and_not_replaced() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    signal(pid, Signal::STOP);
    for words in ["auth token", "auth whoami", "auth refresh --force", "agent status"] {
        let said = world.everkey(words).exits(3).complains("does not answer; it is stopped or stuck");
        assert!(said.out.is_empty(), "{said:?}");
    }
    signal(pid, Signal::CONT);
    assert_eq!(world.agent_pid(), pid, "no second agent was started");
    assert_eq!(world.proxy.refreshes(), 0);
    assert_eq!(world.server.me(&world.token()), 200);
}
