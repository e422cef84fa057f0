//! The one-time link, the cookie, and how the program begins and ends.

use everkey_tests::cli::Cli;
use everkey_tests::dashboard::cookie_of;
use everkey_tests::process::is_alive;
use everkey_tests::{Dashboard, World, process, until};
use rustix::process::Signal;
use std::fs;

#[test]
fn a_link_opens_the_dashboard_once() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let mut tab = dashboard.stranger();
    let path = dashboard.link().strip_prefix(&tab.origin).unwrap();
    let key = path.strip_prefix("/enter?key=").unwrap();
    assert_eq!((key.len(), key.bytes().all(|b| b.is_ascii_hexdigit())), (64, true), "256 bits");
    let name = tab.host().strip_suffix(&format!(".localhost:{}", tab.port())).unwrap();
    assert!(name.len() >= 26 && name.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()), "{name}");

    // A look at the head, and a browser that only looks ahead, use nothing up.
    assert_eq!(tab.call("HEAD", path, None).status(), 204);
    let mut headers = tab.headers();
    headers.push(("Sec-Purpose", "prefetch;prerender".to_owned()));
    let ahead = tab.send("GET", path, &headers, b"");
    assert_eq!((ahead.status(), cookie_of(&ahead)), (204, None));

    // Come from a local file, as a browser does.
    let mut headers = tab.headers();
    headers.push(("Sec-Fetch-Site", "cross-site".to_owned()));
    let welcome = tab.send("GET", path, &headers, b"");
    let page = String::from_utf8(welcome.body.clone()).unwrap();
    assert_eq!(welcome.status(), 200, "a redirect would lose the cookie");
    assert!(page.contains("http-equiv=\"refresh\" content=\"0;url=/\""), "{page}");
    assert!(!page.contains(key));
    let line = welcome.header("set-cookie").unwrap();
    for word in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(line.contains(word), "{line}");
    }
    assert!(!line.contains("Domain"), "{line}");
    tab.cookie = cookie_of(&welcome);
    assert_eq!(tab.post("/api/auth/logout", &serde_json::json!({})).status(), 200);

    let again = tab.get(path);
    assert_eq!((again.status(), cookie_of(&again)), (403, None), "it was used");
    assert!(String::from_utf8(again.body).unwrap().contains("everkey dashboard"));
    assert_eq!(tab.get("/api/auth/status").status(), 200, "who is in stays in");
}

#[test]
fn what_is_no_link_opens_nothing() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.stranger();
    let path = dashboard.link().strip_prefix(&tab.origin).unwrap();
    let unknown = format!("/enter?key={}", "0".repeat(64));
    for wrong in ["/enter", "/enter?", "/enter?key=", "/enter?key=%00", &unknown, &path[..path.len() - 1]] {
        let answer = tab.get(wrong);
        assert_eq!((answer.status(), cookie_of(&answer)), (403, None), "{wrong}");
    }
    let posted = tab.call("POST", path, None);
    assert_eq!((posted.status(), posted.header("allow")), (405, Some("GET,HEAD")));
    assert!(dashboard.enter().cookie.is_some(), "none of that has used the link up");
}

#[test]
fn a_link_dies_with_time() {
    let mut world = World::new();
    world.set_env("EVERKEY_TEST_LINK_MS", "0");
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.stranger();
    let answer = tab.get(dashboard.link().strip_prefix(&tab.origin).unwrap());
    assert_eq!((answer.status(), cookie_of(&answer)), (403, None));
}

#[test]
fn each_line_on_stdin_brings_another_link() {
    let world = World::new();
    let mut dashboard = Dashboard::start(&world);
    let first = dashboard.enter();
    let (two, three) = (dashboard.another_link(), dashboard.another_link());
    assert!(two != three && two != dashboard.link());
    let (two, three) = (dashboard.stranger().come_in(&two), dashboard.stranger().come_in(&three));
    for tab in [first, two, three] {
        assert_eq!(tab.get("/api/no/such/route").status(), 404, "all are in");
    }
}

#[test]
fn it_ends_quietly_with_stdin_or_a_signal() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let stream = tab.follow();
    let ended = dashboard.close();
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", ""), "{ended:?}");
    stream.ends();
    for signal in [Signal::TERM, Signal::INT] {
        let dashboard = Dashboard::start(&world);
        process::signal(dashboard.pid(), signal);
        until("the dashboard to end", || !is_alive(dashboard.pid()));
        assert_eq!(dashboard.close().code, 0);
    }
    assert!(world.find_agent().is_none(), "it starts no agent by itself");
}

#[test]
fn without_a_pipe_it_serves_until_it_is_ended() {
    let world = World::new();
    let out = world.root().join("link");
    let mut command = world.dashboard_command();
    command.stdin(std::process::Stdio::null()).stdout(fs::File::create(&out).unwrap());
    let mut running = process::Running::spawn(&mut command);
    until("the link", || fs::read_to_string(&out).unwrap().ends_with('\n'));
    assert!(running.is_running());
    running.signal(Signal::TERM);
    assert!(running.ended().success());
}

#[test]
fn the_command_line_is_checked_and_explained() {
    let world = World::new();
    let mut command = world.dashboard_command();
    command.arg("--listen").arg("0.0.0.0:80");
    Cli::new(command).run().exits(2).complains("--listen");
}

#[test]
fn two_dashboards_share_nothing() {
    let world = World::new();
    let (one, two) = (Dashboard::start(&world), Dashboard::start(&world));
    let (a, b) = (one.enter(), two.enter());
    assert_ne!(a.host().split('.').next(), b.host().split('.').next(), "browsers keep their cookies apart");
    let mut crossed = b.clone();
    crossed.cookie = a.cookie;
    assert_eq!(crossed.get("/api/auth/status").status(), 401);
    assert_eq!(two.stranger().get(one.link().strip_prefix(&a.origin).unwrap()).status(), 403);
}
