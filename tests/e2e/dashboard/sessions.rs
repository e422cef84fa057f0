//! What the Sessions page does with profiles.

use super::{is_problem, wrong};
use everkey_tests::{ADA, Dashboard, Setup, World};
use serde_json::{Value, json};

#[test]
fn a_sign_in_step_by_step() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let post = |verb: &str, body: Value| tab.post(&format!("/api/sessions/{verb}"), &body).json();
    let asked = post("login", json!({ "profile": "failproofai" }));
    assert_eq!(
        (&asked["reply"], &asked["field"], &asked["tries"]),
        (&json!("ask"), &json!("email"), &json!(3))
    );
    let flow = &asked["flow"];
    let answer = |text: &str| post("answer", json!({ "profile": "failproofai", "flow": flow, "text": text }));
    let sent = answer(ADA);
    assert_eq!((&sent["field"], &sent["sent"]["to"]), (&json!("code"), &json!(ADA)), "{sent}");
    let code = world.server.code_after(ADA, 0);
    let again = answer(&wrong(&code));
    assert_eq!((&again["tries"], &again["again"]["code"]), (&json!(4), &json!("refused")), "{again}");
    assert_eq!(again["again"]["hint"], json!({ "advice": "Try again." }), "{again}");
    let done = answer(&code);
    assert_eq!((&done["reply"], &done["user"]["email"]), (&json!("done"), &json!(ADA)), "{done}");
    let already = post("login", json!({ "profile": "failproofai" }));
    assert_eq!((&already["reply"], &already["already"]), (&json!("done"), &json!(true)));

    let refreshed = post("refresh", json!({ "profile": "failproofai", "force": true }));
    assert_eq!(refreshed["reply"], "refreshed", "{refreshed}");
    assert_eq!(refreshed["access_expires_at"], world.session().unwrap()["access_expires_at"]);
    let out = post("logout", json!({ "profile": "failproofai" }));
    assert_eq!(out, json!({ "reply": "logged_out", "revocation": "revoked" }));
    assert!(world.session().is_none());
    let refused = tab.post("/api/sessions/refresh", &json!({ "profile": "failproofai" }));
    assert_eq!(is_problem(&refused, 409, "not_signed_in")["hint"], "Sign in again.");
}

#[test]
fn a_sign_in_can_be_given_up() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let flow = tab.post("/api/sessions/login", &json!({ "profile": "failproofai" })).json()["flow"].clone();
    let body = json!({ "profile": "failproofai", "flow": flow, "text": ADA });
    let given_up = tab.post("/api/sessions/cancel", &body);
    assert!(given_up.status() == 200 || given_up.status() == 410, "{}", given_up.json());
    is_problem(&tab.post("/api/sessions/answer", &body), 410, "cancelled");
    is_problem(&tab.post("/api/sessions/wait", &body), 410, "cancelled");
}

#[test]
fn too_soon_and_too_far() {
    let mut world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let refresh =
        |force: bool| tab.post("/api/sessions/refresh", &json!({ "profile": "failproofai", "force": force }));
    assert_eq!(refresh(true).status(), 200);
    let soon = refresh(false);
    if soon.status() != 200 {
        assert!(is_problem(&soon, 429, "rate_limited")["retry_after_secs"].is_u64());
    }
    world.proxy.go_away();
    is_problem(&refresh(true), 502, "offline");
    world.proxy.come_back();
}

#[test]
fn what_makes_no_sense_is_said_so() {
    let world = World::new();
    world.everkey("agent start").ok();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    for verb in ["answer", "wait", "cancel"] {
        let answer = tab.post(&format!("/api/sessions/{verb}"), &json!({ "profile": "failproofai" }));
        is_problem(&answer, 400, "validation_error");
    }
    for verb in ["login", "refresh", "logout"] {
        let answer = tab.post(&format!("/api/sessions/{verb}"), &json!({ "profile": "../etc" }));
        is_problem(&answer, 404, "unknown_profile");
    }
    let scheme = json!({ "profile": "failproofai", "scheme": "carrier_pigeon" });
    is_problem(&tab.post("/api/sessions/login", &scheme), 400, "validation_error");
}

#[test]
fn sign_ins_that_wait_do_not_pile_up() {
    let world = World::new();
    world.configure(&format!(
        "[profiles.work]\nprovider = \"achilles\"\nserver = \"{}\"\n",
        world.proxy.url()
    ));
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let shown = tab.post("/api/sessions/login", &json!({ "profile": "work" })).json();
    assert_eq!(shown["reply"], "show", "{shown}");
    let body = json!({ "profile": "work", "flow": shown["flow"] }).to_string();
    let mut headers = tab.headers();
    headers.extend([("Origin", tab.origin.clone()), ("Content-Type", "application/json".to_owned())]);
    // Browsers that ask and go away.
    for _ in 0..40 {
        drop(tab.ask("POST", "/api/sessions/wait", &headers, body.as_bytes()));
    }
    everkey_tests::until("no more room for one that waits", || {
        let mut open = tab.ask("POST", "/api/sessions/wait", &headers, body.as_bytes());
        open.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        let mut answer = String::new();
        let _ = std::io::Read::read_to_string(&mut open, &mut answer);
        answer.starts_with("HTTP/1.1 503") && answer.contains("\"busy\"")
    });
    assert_eq!(tab.get("/api/auth/status").status(), 200, "everything else goes on");
}
