//! What tabs are told by themselves.

use super::{is_problem, sign_in};
use everkey_tests::lines::until_closed;
use everkey_tests::process::open_files;
use everkey_tests::{ADA, Dashboard, Setup, World, until};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::json;

#[test]
fn two_tabs_get_events_and_a_third_the_past_ones() {
    let world = World::new();
    world.everkey("agent start").ok();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let (one, two) = (tab.follow(), tab.follow());
    assert!(one.head().header("content-type").unwrap().starts_with("text/event-stream"));
    one.agent(true);
    two.agent(true);
    sign_in(&world, &tab);
    for stream in [&one, &two] {
        let event = stream.happens("signed_in");
        assert_eq!((&event["reply"], &event["user"]["email"]), (&json!("event"), &json!(ADA)), "{event}");
        assert_eq!(event["profile"], "failproofai");
    }
    world.token();
    let handed = one.happens("handed");
    assert!(handed["pid"].is_i64() && handed["id"].is_u64(), "{handed}");
    assert_eq!(two.happens("handed"), handed);
    tab.post("/api/auth/logout", &json!({}));
    one.happens("signed_out");

    let three = tab.follow();
    let first = three.find("the first message", |_| true);
    assert_eq!((first.event.as_str(), &first.json()["reachable"]), ("agent", &json!(true)));
    for wanted in ["signed_in", "handed", "signed_out"] {
        let past = three.find(wanted, |sent| sent.json()["event"] == wanted);
        assert_eq!(past.event, "past");
        assert!(past.id.ends_with(&format!(".{}", past.json()["id"])), "{past:?}");
    }
}

#[test]
fn what_was_before_the_dashboard_is_told_as_past() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let stream = dashboard.enter().follow();
    stream.find("the sign-in", |sent| sent.json()["event"] == "signed_in");
}

#[test]
fn a_returning_agent_is_reported_and_followed() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let stream = tab.follow();
    stream.agent(true);
    world.kill_agent();
    let gone = stream.agent(false);
    assert!(gone["message"].as_str().is_some_and(|message| !message.is_empty()), "{gone}");
    is_problem(&tab.get("/api/auth/status"), 503, "no_agent");
    assert!(world.find_agent().is_none(), "the dashboard does not start it by itself");
    // A tab that comes meanwhile hears of it, too.
    tab.follow().agent(false);

    let started = tab.post("/api/agent/start", &json!({}));
    assert_eq!((started.status(), &started.json()["reply"]), (200, &json!("agent")), "{}", started.json());
    stream.agent(true);
    world.token();
    stream.happens("handed");
}

#[test]
fn an_agent_that_comes_later_is_found() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let stream = dashboard.enter().follow();
    stream.agent(false);
    world.everkey("agent start").ok();
    stream.agent(true);
    world.stop_agent();
    stream.agent(false);
}

#[test]
fn only_open_tabs_count_against_the_limit() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let mut streams = Vec::new();
    let refused = loop {
        let stream = tab.follow();
        if stream.head().status() != 200 {
            break stream;
        }
        streams.push(stream);
        assert!(streams.len() < 100, "somewhere it must end");
    };
    assert_eq!(refused.head().status(), 503);
    for stream in &streams {
        let _ = stream.socket().shutdown(std::net::Shutdown::Both);
    }
    until("room for a tab", || tab.follow().head().status() == 200);
}

#[test]
fn a_tab_that_does_not_read_is_dropped() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let quick = tab.follow();
    quick.agent(true);
    let open = || open_files(dashboard.pid()).unwrap();
    let before = open();
    let mut slow = tab.ask("GET", "/events", &tab.headers(), b"");
    let _ = set_socket_recv_buffer_size(&slow, 4096);
    until("the second tab", || open() > before);
    let mut lines = world.lines();
    // As many as fit into what the system keeps on the way, and then those that the dashboard keeps.
    until("the tab that does not read to be dropped", || {
        let mut last = 0;
        for _ in 0..200 {
            assert_eq!(lines.request("token")["reply"], "token");
            last += 1;
        }
        for _ in 0..last {
            quick.happens("handed");
        }
        open() <= before
    });
    until_closed(&mut slow);
    lines.request("token");
    quick.happens("handed");
}
