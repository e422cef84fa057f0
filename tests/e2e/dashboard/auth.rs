//! The contract's `/api/auth/*` routes for signing in and out.

use super::{is_problem, request_code, sign_in, wrong};
use everkey_tests::{ADA, Canned, Dashboard, Fault, Setup, World, process, until};
use rustix::process::Signal;
use serde_json::{Value, json};

const BOB: &str = "bob@example.com";
const REQUEST: &str = "/v0/auth/login/request";
const VERIFY: &str = "/v0/auth/login/verify";
const LOGOUT: &str = "/v0/auth/logout";

#[test]
fn status_is_local() {
    let mut world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    is_problem(&tab.get("/api/auth/status"), 503, "no_agent");
    world.everkey("agent start").ok();
    let status = || tab.get("/api/auth/status").json();
    assert_eq!(status(), json!({ "authenticated": false, "reminder": null }));
    world.login();
    let seen = world.proxy.seen("").len();
    world.proxy.go_away();
    let user = world.session().unwrap()["user"].clone();
    assert_eq!(status(), json!({ "authenticated": true, "user": user, "reminder": null }));
    assert_eq!(world.proxy.seen("").len(), seen, "the network is not asked");
    world.stop_agent();
    is_problem(&tab.get("/api/auth/status"), 503, "no_agent");
}

#[test]
fn signing_in_and_out() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let sent = request_code(&tab, ADA);
    assert_eq!(sent["status"], "code_sent");
    assert!(sent["expires_in"].as_u64().is_some_and(|secs| secs > 0), "{sent}");
    assert!(sent["resend_available_in"].is_u64(), "{sent}");
    assert_eq!(sent.as_object().unwrap().len(), 3, "{sent}");

    let code = world.server.code_after(ADA, 0);
    // As people paste it, and as they write their address.
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let done = tab.post("/api/auth/login-verify", &json!({ "email": "Ada@Example.com ", "code": spaced }));
    let user = world.session().unwrap()["user"].clone();
    assert_eq!(done.status(), 200, "{}", done.json());
    assert_eq!(done.json(), json!({ "authenticated": true, "user": user }));
    assert_eq!(user["email"], ADA);

    is_problem(&tab.post("/api/auth/login-request", &json!({ "email": ADA })), 409, "already_signed_in");
    let again = tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    is_problem(&again, 409, "already_signed_in");

    let out = tab.call("POST", "/api/auth/logout", None);
    assert_eq!((out.status(), out.json()), (200, json!({ "authenticated": false, "upstream": "revoked" })));
    assert!(world.session().is_none());
    let out = tab.post("/api/auth/logout", &json!({}));
    assert_eq!(
        (out.status(), out.json()),
        (200, json!({ "authenticated": false })),
        "there was nothing to do"
    );
}

#[test]
fn malformed_addresses_and_codes_are_refused_locally() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let long = format!("{}@example.com", "x".repeat(300));
    for email in [
        json!(null),
        json!(7),
        json!([ADA]),
        json!(""),
        json!("ada"),
        json!("@"),
        json!("a b@c.d"),
        json!(long),
    ] {
        for path in ["/api/auth/login-request", "/api/auth/login-verify"] {
            let answer = tab.post(path, &json!({ "email": email, "code": "123456" }));
            is_problem(&answer, 400, "validation_error");
        }
    }
    for body in [json!({}), json!({ "code": "123456" })] {
        is_problem(&tab.post("/api/auth/login-request", &body), 400, "validation_error");
    }
    for code in [json!(null), json!(""), json!(" "), json!(123_456)] {
        let answer = tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
        is_problem(&answer, 400, "validation_error");
    }
    assert!(world.find_agent().is_none(), "nothing of that has reached an agent");
}

#[test]
fn a_code_works_only_for_its_own_address() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let verify = |email: &str, code: &str| {
        tab.post("/api/auth/login-verify", &json!({ "email": email, "code": code }))
    };
    // Where no code was asked for, the api-server says so.
    is_problem(&verify(ADA, "123456"), 401, "unauthorized");
    assert_eq!(world.proxy.seen(VERIFY).len(), 1);
    request_code(&tab, ADA);
    let code = world.server.code_after(ADA, 0);
    is_problem(&verify(BOB, &code), 401, "unauthorized");
    // Another code, to another address: both count.
    request_code(&tab, BOB);
    let bobs = world.server.code_after(BOB, 0);
    is_problem(&verify(ADA, &wrong(&code)), 401, "unauthorized");
    let done = verify(ADA, &code);
    assert_eq!((done.status(), &done.json()["user"]["email"]), (200, &json!(ADA)), "{}", done.json());
    tab.post("/api/auth/logout", &json!({}));
    let done = verify(BOB, &bobs);
    assert_eq!((done.status(), &done.json()["user"]["email"]), (200, &json!(BOB)), "{}", done.json());
}

#[test]
fn a_code_outlives_the_agent_that_asked_for_it() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    request_code(&tab, ADA);
    let code = world.server.code_after(ADA, 0);
    world.kill_agent();
    let done = tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    assert_eq!((done.status(), &done.json()["user"]["email"]), (200, &json!(ADA)), "{}", done.json());
}

#[test]
fn the_right_code_works_after_a_401() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    request_code(&tab, ADA);
    let code = world.server.code_after(ADA, 0);
    let verify = |code: &str| tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    let said = is_problem(&verify(&wrong(&code)), 401, "unauthorized");
    assert_eq!((&said["tries_left"], &said["hint"]), (&json!(4), &json!("Try again.")));
    for nonsense in ["nonsense", "12345", "1234567", BOB] {
        is_problem(&verify(nonsense), 401, "unauthorized");
    }
    assert_eq!(world.proxy.seen(VERIFY).len(), 1, "what can be no code costs no try");
    assert_eq!(verify(&code).json()["authenticated"], true);
}

#[test]
fn five_wrong_codes_end_it_but_another_may_be_requested() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    request_code(&tab, ADA);
    let right = world.server.code_after(ADA, 0);
    let code = wrong(&right);
    let verify = |code: &str| tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    for _ in 0..5 {
        is_problem(&verify(&code), 401, "unauthorized");
    }
    // The sign-in is over, so later ones go without its request's id. They have five guesses of their own.
    for _ in 0..5 {
        is_problem(&verify(&code), 401, "unauthorized");
    }
    is_problem(&verify(&right), 401, "unauthorized");
    assert_eq!(world.proxy.seen(VERIFY).len(), 11);
    sign_in(&world, &tab);
}

#[test]
fn another_code_may_be_requested_within_rate_limits() {
    let world = World::with(Setup { real_limits: true, ..Setup::default() });
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    request_code(&tab, ADA);
    let code = world.server.code_after(ADA, 0);
    let limited = tab.post("/api/auth/login-request", &json!({ "email": ADA }));
    let secs = is_problem(&limited, 429, "rate_limited")["retry_after_secs"].as_u64().unwrap();
    assert!((1..=30).contains(&secs), "{secs}");
    assert_eq!(limited.header("retry-after"), Some(secs.to_string().as_str()));
    let done = tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    assert_eq!(done.status(), 200, "the first code goes on to work: {}", done.json());
}

#[test]
fn the_api_servers_errors_are_passed_on() {
    let mut world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let request = || tab.post("/api/auth/login-request", &json!({ "email": ADA }));
    let said = |status, code: &str| {
        Fault::Answer(Canned::json(status, &json!({ "code": code, "message": "No.", "retry_after_secs": 7 })))
    };
    world.proxy.next(REQUEST, said(429, "rate_limited"));
    let limited = request();
    assert_eq!(is_problem(&limited, 429, "rate_limited")["retry_after_secs"], 7);
    assert_eq!(limited.header("retry-after"), Some("7"));
    world.proxy.next(REQUEST, said(400, "validation_error"));
    is_problem(&request(), 400, "validation_error");
    world.proxy.next(REQUEST, Fault::Answer(Canned::new(503, "text/html", &[], "<h1>Down</h1>")));
    is_problem(&request(), 503, "http_503");
    world.proxy.next(REQUEST, Fault::Answer(Canned::captive_portal()));
    is_problem(&request(), 502, "upstream_unreachable");
    world.proxy.go_away();
    is_problem(&request(), 502, "upstream_unreachable");
    world.proxy.come_back();

    request_code(&tab, ADA);
    let code = world.server.code_after(ADA, 0);
    let verify = || tab.post("/api/auth/login-verify", &json!({ "email": ADA, "code": code }));
    world.proxy.next(VERIFY, said(429, "rate_limited"));
    assert_eq!(is_problem(&verify(), 429, "rate_limited")["retry_after_secs"], 7);
    sign_in(&world, &tab);
}

#[test]
fn an_api_server_that_says_nothing_is_504() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let gate = everkey_tests::Gate::default();
    world.proxy.next(REQUEST, Fault::HoldAnswer(gate.clone()));
    is_problem(&tab.post("/api/auth/login-request", &json!({ "email": ADA })), 504, "timeout");
    gate.open();
}

#[test]
fn signing_out_works_whatever_the_network_says() {
    let mut world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    world.proxy.next(LOGOUT, Fault::Answer(Canned::new(500, "text/plain", &[], "")));
    let out = tab.post("/api/auth/logout", &json!({}));
    assert_eq!((out.status(), out.json()), (200, json!({ "authenticated": false, "upstream": "failed" })));
    assert!(world.session().is_none());
    world.login();
    world.proxy.go_away();
    let out = tab.post("/api/auth/logout", &json!({}));
    assert_eq!((out.status(), out.json()), (200, json!({ "authenticated": false, "upstream": "failed" })));
    assert!(world.session().is_none());
    world.proxy.come_back();
}

#[test]
fn a_gone_agent_is_started_when_needed() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    world.kill_agent();
    is_problem(&tab.get("/api/auth/status"), 503, "no_agent");
    let out = tab.post("/api/auth/logout", &json!({}));
    assert_eq!((out.status(), &out.json()["authenticated"]), (200, &Value::from(false)), "{}", out.json());
    assert!(world.session().is_none());
}

#[test]
fn a_stopped_agent_is_said_to_be_stuck() {
    let world = World::new();
    world.everkey("agent start").ok();
    let pid = world.agent_pid();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    process::signal(pid, Signal::STOP);
    let said = is_problem(&tab.get("/api/auth/status"), 503, "no_agent");
    assert!(said["message"].as_str().unwrap().contains("does not answer"), "{said}");
    process::signal(pid, Signal::CONT);
    until("the agent to answer again", || tab.get("/api/auth/status").status() == 200);
}
