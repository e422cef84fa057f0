//! Refreshing: one request, whoever asks, whatever becomes of them (N01, N02, N06).

use everkey_tests::wait::until;
use everkey_tests::{Fault, REFRESH, Setup, World};

#[test]
fn n01_fifty_callers_one_refresh() {
    let world = World::signed_in(Setup { access_ttl: "6s", ..Setup::default() });
    // Half of its short life is over: the token must be refreshed, and nobody can be answered before it is.
    let gate = world.proxy.hold_refresh_answer();
    gate.reached();
    let old = world.session_text("access_token");
    let callers: Vec<_> = (0..50).map(|_| world.start("auth token")).collect();
    until("fifty callers to wait", || world.times_asked("token") == 50);
    gate.open();

    let tokens: Vec<_> = callers.into_iter().map(|caller| caller.finish().ok()).collect();
    assert_eq!(tokens[0], world.session_text("access_token"));
    assert_ne!(tokens[0], old);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.proxy.refreshes(), 1);
    assert_eq!(world.server.events("rotated"), 1);
}

#[test]
fn n02_lost_answer_gives_the_same_successor() {
    let world = World::signed_in(Setup::default());
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    world.everkey("auth refresh").ok();

    let sent = world.proxy.seen(REFRESH);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body, "the same token");
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert_eq!(world.server.events("rotated"), 1);
    assert_eq!(world.server.events("repeat_answered"), 1);
    world.server.assert_nothing_revoked();
    assert_eq!(world.server.me(&world.token()), 200);
}
