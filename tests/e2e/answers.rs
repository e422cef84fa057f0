//! What comes back instead of a good token answer, and what does not (N02, N11, N12, N14, N22, N25, N32 to N34).

use everkey_tests::{ADA, Canned, Fault, REFRESH, Setup, World, othertool, until};
use serde_json::json;

/// The session is as it was: same file, still signed in, a token is served.
fn assert_kept(world: &World, refresh: &str) {
    assert_eq!(world.session_text("refresh_token"), refresh);
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    assert_eq!(world.server.me(&world.token()), 200);
}

/// A session whose agent has had a refresh answer, and so knows the server's clock.
fn refreshed_once(setup: Setup) -> World {
    let world = World::signed_in(setup);
    world.everkey("auth refresh").ok();
    world
}

#[test]
fn n02_lost_answer_gives_the_same_successor() {
    let world = World::signed_in(Setup::default());
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    world.everkey("auth refresh").ok();

    let sent = world.proxy.seen(REFRESH);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].body, sent[1].body, "the same token");
    assert!(sent[0].header("idempotency-key").is_some_and(|key| key.len() >= 32));
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert_eq!(world.server.events("rotated"), 1);
    assert_eq!(world.server.events("repeat_answered"), 1);
    world.server.assert_nothing_revoked();
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn n02_strict_server_is_not_asked_again_blindly() {
    let world = refreshed_once(Setup { strict: true, ..Setup::default() });
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    let caller = world.start("auth refresh --force");
    world.until_state("uncertain");
    assert_kept(&world, &world.session_text("refresh_token"));

    world.until_state("needs_login");
    caller.finish().exits(1);
    assert_eq!(world.proxy.refreshes(), 2);
    assert!(!world.proxy.seen("/v0/auth/session").is_empty(), "the server was asked what it did");
    world.server.assert_nothing_revoked();
    // The other sessions of this user live on, and a new sign-in mends this one.
    world.login();
    world.until_state("valid");
}

#[test]
fn n02_strict_server_that_never_got_it_is_asked_once_more() {
    let world = refreshed_once(Setup { strict: true, ..Setup::default() });
    world.proxy.next(REFRESH, Fault::LoseRequest);
    world.everkey("auth refresh --force").ok();
    assert_eq!(world.proxy.refreshes(), 3);
    assert_eq!(world.server.events("rotated"), 2);
    world.server.assert_nothing_revoked();
}

#[test]
fn n02_server_without_promises_is_never_asked_again() {
    let world = World::with(Setup { access_ttl: "20s", ..Setup::default() });
    let forget = |answer: &mut serde_json::Value| {
        answer.as_object_mut().unwrap().remove("refresh_retry");
    };
    world.proxy.every("/v0/auth/login/verify", Fault::Rewrite(forget));
    world.login();
    world.proxy.next(REFRESH, Fault::LoseAnswer);
    let caller = world.start("auth refresh");
    world.until_state("uncertain");
    let refresh = world.session_text("refresh_token");
    assert_kept(&world, &refresh);

    world.until_state("needs_login");
    caller.finish().exits(1);
    world.everkey("auth token").exits(1);
    assert_eq!(world.proxy.refreshes(), 1);
    world.server.assert_nothing_revoked();
}

#[test]
fn n11_captive_portal_ends_no_session() {
    let world = World::signed_in(Setup::default());
    let refresh = world.session_text("refresh_token");
    world.proxy.every(REFRESH, Fault::Answer(Canned::captive_portal()));
    let caller = world.start("auth refresh");
    world.until_state("uncertain");
    assert_kept(&world, &refresh);
    let status = world.status();
    assert!(status["last_error"].as_str().unwrap().contains("not an api-server"), "{status}");

    world.proxy.heal();
    caller.finish().ok();
    world.until_state("valid");
    assert_eq!(world.server.events("rotated"), 1);
}

#[test]
fn n12_refusals_that_are_not_the_providers_end_no_session() {
    let unauthorized = json!({ "code": "unauthorized", "message": "no" });
    for canned in [
        Canned::json(400, &json!({ "code": "validation_error", "message": "no" })),
        Canned::json(401, &json!({ "error": "no" })),
        Canned::new(401, "text/html", &["WWW-Authenticate: Basic"], "<h1>Proxy login</h1>"),
        Canned::new(401, "text/plain", &[], &unauthorized.to_string()),
        Canned::json(403, &unauthorized),
        Canned::json(404, &unauthorized),
        Canned::json(500, &unauthorized),
        Canned::new(200, "application/json", &[], "{}"),
    ] {
        let world = World::signed_in(Setup::default());
        let refresh = world.session_text("refresh_token");
        world.proxy.every(REFRESH, Fault::Answer(canned));
        let caller = world.start("auth refresh");
        world.until_state("uncertain");
        assert_kept(&world, &refresh);
        world.proxy.heal();
        caller.finish().ok();
    }
}

#[test]
fn n12_a_refusal_on_another_route_ends_no_session() {
    let world = World::signed_in(Setup::default());
    let refusal = Canned::json(401, &json!({ "code": "unauthorized", "message": "no" }));
    world.proxy.every("/v0/auth/session", Fault::Answer(refusal));
    // An agent that finds a session it did not write asks there first.
    othertool::write(&world.auth_file(), &othertool::session(&world.server.sign_in(ADA)));
    let refresh = world.session_text("refresh_token");
    world.everkey("auth refresh").ok();
    assert!(!world.proxy.seen("/v0/auth/session").is_empty());
    assert_ne!(world.session_text("refresh_token"), refresh);
}

#[test]
fn n14_true_refusal_needs_a_login_and_is_never_sent_again() {
    let world = World::signed_in(Setup::default());
    let (access, refresh) = (world.session_text("access_token"), world.session_text("refresh_token"));
    let body = json!({ "refresh_token": refresh });
    world.server.call("POST", "/v0/auth/logout", Some(&access), Some(&body));

    world.everkey("auth refresh").exits(1).complains("the api-server has ended the session");
    assert_eq!(world.state(), "needs_login");
    let said = world.everkey("auth whoami").exits(1);
    assert_eq!(said.out, "not signed in\n");
    world.everkey("auth refresh --force").exits(1);
    world.kill_agent();
    world.everkey("auth refresh --force").exits(1);
    world.until_state("needs_login");
    assert_eq!(world.proxy.refreshes(), 1, "a refused token is never sent again, not even after a restart");
    world.login();
    world.until_state("valid");
}

#[test]
fn n13_a_refusal_does_not_count_once_the_file_is_newer() {
    let world = World::signed_in(Setup::default());
    let body = json!({ "refresh_token": world.session_text("refresh_token") });
    world.server.call("POST", "/v0/auth/logout", Some(&world.session_text("access_token")), Some(&body));
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    let theirs = othertool::session(&world.server.sign_in(ADA));
    othertool::write_unseen(&world.auth_file(), Some(&theirs));
    gate.open();

    world.until_state("valid");
    // The caller wanted a refresh, and gets one of the session that stands now.
    caller.finish().ok();
    let sent = world.proxy.seen(REFRESH);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].json()["refresh_token"], theirs["refresh_token"]);
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn n22_one_request_for_each_journaled_attempt() {
    for fault in [Fault::Reset, Fault::LoseRequest, Fault::CutAnswer(0), Fault::CutAnswer(40)] {
        let world = World::signed_in(Setup::default());
        world.proxy.next(REFRESH, fault);
        world.everkey("auth refresh").ok();
        let sent = world.proxy.seen(REFRESH);
        // Nothing below the agent repeats a request: one lost, one that the agent decided on.
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
        assert_eq!(world.server.events("rotated"), 1);
        world.server.assert_nothing_revoked();
    }
}

#[test]
fn n22_a_refused_connection_is_told_and_sends_nothing() {
    let mut world = World::signed_in(Setup::default());
    world.proxy.go_away();
    world.everkey("auth refresh").exits(4).complains("Could not reach the api-server at http://127.0.0.1");
    assert_eq!(world.state(), "offline");
    assert_eq!(world.proxy.refreshes(), 0);
    world.proxy.come_back();
    world.until_state("valid");
    assert_eq!(world.proxy.refreshes(), 1);
}

#[test]
fn n25_a_redirect_is_refused_and_the_token_unsent() {
    let world = World::signed_in(Setup::default());
    let elsewhere = World::new();
    for status in [301, 302, 307, 308] {
        let location = format!("Location: {}{REFRESH}", elsewhere.proxy.url());
        let redirect = Canned::new(status, "text/html", &[&location], "");
        world.proxy.next(REFRESH, Fault::Answer(redirect));
    }
    let caller = world.start("auth refresh --force");
    until("every redirect to be answered", || world.proxy.refreshes() > 4);
    caller.finish().ok();
    assert!(elsewhere.proxy.seen(REFRESH).is_empty());
    assert_eq!(world.server.events("rotated"), 1);
}

#[test]
fn n32_declined_after_a_lost_answer_keeps_the_key() {
    for status in [429, 503] {
        let world = World::signed_in(Setup::default());
        let code = if status == 429 { "rate_limited" } else { "unavailable" };
        let body =
            json!({ "code": code, "message": "later", "retry_after_secs": 1, "attempt_consumed": false });
        world.proxy.next(REFRESH, Fault::LoseAnswer);
        world.proxy.next(REFRESH, Fault::Answer(Canned::json(status, &body)));
        let caller = world.start("auth refresh");
        until("the third attempt", || world.proxy.refreshes() == 3);
        caller.finish();
        world.until_state("valid");

        let keys: Vec<_> = world.proxy.seen(REFRESH);
        assert!(keys.iter().all(|sent| sent.header("idempotency-key") == keys[0].header("idempotency-key")));
        assert_eq!(world.server.events("rotated"), 1);
        assert_eq!(world.server.events("repeat_answered"), 1);
        world.server.assert_nothing_revoked();
    }
}

#[test]
fn n33_a_passed_deadline_is_moved_with_the_same_key() {
    let world = World::signed_in(Setup::default());
    world.proxy.next(REFRESH, Fault::ChangeHeader("x-request-deadline", "1000000000"));
    world.everkey("auth refresh").ok();
    let sent = world.proxy.seen(REFRESH);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert!(world.server.log().contains("status=409"), "the late one consumed nothing");
    assert_eq!((world.server.events("rotated"), world.server.events("repeat_answered")), (1, 0));
    world.server.assert_nothing_revoked();
}

#[test]
fn n34_an_unprocessed_refresh_costs_no_session_without_promises() {
    let forget = |answer: &mut serde_json::Value| {
        answer.as_object_mut().unwrap().remove("refresh_retry");
    };
    for (status, reason) in [(429, "Slow down"), (425, "Too early"), (421, "Wrong server")] {
        let world = World::new();
        world.proxy.every("/v0/auth/login/verify", Fault::Rewrite(forget));
        world.login();
        let page = Canned::new(status, "text/html", &["Retry-After: 1"], &format!("<h1>{reason}</h1>"));
        world.proxy.next(REFRESH, Fault::Answer(page.clone()));
        world.proxy.next(REFRESH, Fault::Answer(page));
        let refresh = world.session_text("refresh_token");
        world.start("auth refresh").finish();
        until("the third attempt", || world.proxy.refreshes() == 3);
        world.until_state("valid");
        assert_ne!(world.session_text("refresh_token"), refresh);
        assert_eq!(world.server.events("rotated"), 1);
        world.server.assert_nothing_revoked();
    }
}
