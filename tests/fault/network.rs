//! A network that fails in every way it can: N04, N10, N11, N22, N33 against the real agent.

use crate::lane::{Cost, Lane};
use crate::run::{Trying, everything, in_lanes};
use everkey_tests::{Canned, Fault, Gate, REFRESH, Setup, World, until};
use rustix::net::sockopt::set_socket_reuseport;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use serde_json::json;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Refreshes once with this happening to the request, and lets it recover.
fn refresh_with(lane: &mut Lane, fault: Fault) -> Cost {
    lane.start_if_needed();
    lane.world.proxy.next(REFRESH, fault);
    // The caller may be told to come back; the agent goes on by itself.
    lane.refresh(lane.world.lines()).expect("the agent lives");
    lane.verdict()
}

/// The agent's answer is shorter than the one measured by fewer bytes than these: that one says `connection: close`.
const ABOUT: usize = 32;

#[test]
fn n10_an_answer_cut_anywhere_is_asked_for_again() {
    let mut probe = Lane::new(Setup::default());
    let whole = refresh_with(&mut probe, Fault::Pass);
    assert_eq!((whole.rotations, whole.requests), (1, 1));
    let refresh = probe.world.session_text("refresh_token");
    let length = probe.world.server.refresh(&refresh).raw.len();
    drop(probe);

    let step = if everything() { 7 } else { 97 };
    let cuts = (0..length - ABOUT).step_by(step).chain([length - ABOUT]).collect();
    let costs = in_lanes("cut answers", &Setup::default(), cuts, |lane, cut| {
        (cut, refresh_with(lane, Fault::CutAnswer(cut)))
    });
    for (cut, cost) in costs {
        let expected = Cost { trials: 1, rotations: 1, requests: 2, repeats: 1, ..Cost::default() };
        assert_eq!(cost, expected, "cut after {cut} of {length} bytes");
    }
}

/// Everything that is not an answer, and what it is called.
fn nonsense() -> Vec<(String, Fault)> {
    let plain = |status| Canned::new(status, "text/plain", &[], "no");
    let html = |status| Canned::new(status, "text/html", &[], "<html>Bad gateway</html>");
    let statuses = [204, 206, 303, 307, 308, 400, 401, 403, 404, 407, 408, 425, 500, 501, 502, 503, 504, 511];
    let mut faults: Vec<(String, Fault)> = Vec::new();
    for status in statuses {
        faults.push((format!("{status}"), Fault::Answer(plain(status))));
        faults.push((format!("{status} as HTML"), Fault::Answer(html(status))));
    }
    let declined = |status| {
        let code = if status == 429 { "rate_limited" } else { "unavailable" };
        let body =
            json!({ "code": code, "message": "later", "attempt_consumed": false, "retry_after_secs": 1 });
        Fault::Answer(Canned::json(status, &body))
    };
    let with_header = |status| Fault::Answer(Canned::new(status, "text/plain", &["Retry-After: 1"], "later"));
    faults.extend([
        ("429 declined".to_owned(), declined(429)),
        ("503 declined".to_owned(), declined(503)),
        ("429 Retry-After".to_owned(), with_header(429)),
        ("503 Retry-After".to_owned(), with_header(503)),
        ("200 as HTML".to_owned(), Fault::Answer(Canned::captive_portal())),
        ("200 empty".to_owned(), Fault::Answer(Canned::new(200, "application/json", &[], ""))),
        ("reset".to_owned(), Fault::Reset),
        ("request lost".to_owned(), Fault::LoseRequest),
        ("answer lost".to_owned(), Fault::LoseAnswer),
    ]);
    faults
}

#[test]
fn n11_n22_whatever_comes_instead_of_an_answer_ends_nothing() {
    let costs = in_lanes("answers that are none", &Setup::default(), nonsense(), |lane, (what, fault)| {
        let _trying = Trying(what.clone());
        (what, refresh_with(lane, fault))
    });
    for (what, cost) in costs {
        let expected = Cost { trials: 1, rotations: 1, requests: 2, repeats: 1, ..Cost::default() };
        assert_eq!(cost, expected, "{what}");
    }
}

/// A black hole as long as the agent waits, then the copy falls out of it.
#[test]
fn n04_n33_a_copy_delayed_past_its_deadline_consumes_nothing() {
    let mut lane = Lane::new(Setup::default());
    lane.start_if_needed();
    let hole = Gate::default();
    lane.world.proxy.next(REFRESH, Fault::HoldRequest(hole.clone()));
    let asked = lane.world.start("auth refresh --force");
    hole.reached();
    // The agent gives up, asks again with the same key and a new deadline, and is answered.
    until("the second request", || lane.world.proxy.refreshes() == 2);
    lane.world.until_state("valid");
    asked.finish();
    let next = lane.world.session_text("refresh_token");
    let sent = lane.world.proxy.seen(REFRESH);
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert!(sent[0].header("x-request-deadline") < sent[1].header("x-request-deadline"));

    let refused = |world: &World| world.server.log().matches("status=409").count();
    let before = refused(&lane.world);
    hole.open();
    until("the late copy to be refused", || refused(&lane.world) > before);
    assert_eq!(lane.world.session_text("refresh_token"), next);
    let cost = lane.verdict();
    assert_eq!((cost.lost, cost.revoked, cost.rotations), (0, 0, 1));
    // The successor is good for the next rotation.
    let cost = refresh_with(&mut lane, Fault::Pass);
    assert_eq!((cost.lost, cost.rotations, cost.requests), (0, 1, 1));
}

/// A port where connections are neither accepted nor refused: its queue is full, so what comes is dropped.
struct BlackHole {
    _listening: OwnedFd,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    fn at(address: SocketAddr) -> Self {
        let flags = SocketFlags::CLOEXEC;
        let fd = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).expect("a socket");
        set_socket_reuseport(&fd, true).expect("ports can be shared with oneself");
        bind(&fd, &address).expect("the port is ours");
        listen(&fd, 0).expect("the port is ours");
        let attempt = || TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
        let queue = std::iter::from_fn(attempt).take(64).collect();
        Self { _listening: fd, _queue: queue }
    }
}

/// S1: no connection, so no intent, and nothing is in doubt.
#[test]
fn n22_a_black_hole_before_the_connection_leaves_nothing_in_doubt() {
    let mut world = World::signed_in(Setup::default());
    let (token, refresh) = (world.token(), world.session_text("refresh_token"));
    world.proxy.go_away();
    let address = world.proxy.url().trim_start_matches("http://").parse().expect("an address");
    let hole = BlackHole::at(address);
    world.everkey("auth refresh --force").exits(4);
    assert_eq!(world.token(), token, "the old token is served meanwhile");
    assert!(!world.auth_dir().join(".auth.json.everkey-journal").exists(), "nothing was noted");
    assert_eq!(world.session_text("refresh_token"), refresh);

    drop(hole);
    world.proxy.come_back();
    world.everkey("auth refresh --force").ok();
    assert_ne!(world.session_text("refresh_token"), refresh);
    assert_eq!(world.proxy.refreshes(), world.server.events("rotated"), "one request for each rotation");
}
