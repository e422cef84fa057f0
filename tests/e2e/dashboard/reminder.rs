//! The contract's `/api/auth/reminder`.

use super::{is_problem, sign_in};
use everkey_tests::{ADA, Dashboard, Setup, World};
use serde_json::{Value, json};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

const PATH: &str = "/api/auth/reminder";
const DAY: u64 = 86_400;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn on_disk(world: &World) -> Option<Value> {
    let text = fs::read_to_string(world.auth_dir().join("next-audit.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn nobody_has_a_reminder_without_an_active_session() {
    let world = World::new();
    world.everkey("agent start").ok();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    let all = || [tab.get(PATH), tab.post(PATH, &json!({ "in_days": 3 })), tab.call("DELETE", PATH, None)];
    for answer in all() {
        is_problem(&answer, 401, "unauthorized");
    }
    assert_eq!(on_disk(&world), None);
    sign_in(&world, &tab);
    assert_eq!(tab.post(PATH, &json!({})).status(), 200);
    let set = on_disk(&world);
    tab.post("/api/auth/logout", &json!({}));
    for answer in all() {
        is_problem(&answer, 401, "unauthorized");
    }
    assert_eq!(on_disk(&world), set, "it outlives the sign-out, and nobody else touches it");
}

#[test]
fn only_set_and_clear_start_a_gone_agent() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    world.kill_agent();
    is_problem(&tab.get(PATH), 503, "no_agent");
    assert!(world.find_agent().is_none(), "who only looks starts nothing");
    let set = tab.post(PATH, &json!({ "in_days": 3 }));
    assert_eq!(set.status(), 200, "{}", set.json());
    assert_eq!(set.json()["reminder"]["user_email"], ADA);
    assert!(on_disk(&world).is_some());
    world.kill_agent();
    let cleared = tab.call("DELETE", PATH, None);
    assert_eq!((cleared.status(), cleared.json()), (200, json!({ "ok": true })));
    assert_eq!(on_disk(&world), None);
}

#[test]
fn a_reminder_is_set_changed_and_cleared() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    assert_eq!(tab.get(PATH).json(), json!({ "authenticated": true, "reminder": null }));
    for (body, days) in [
        (json!({}), 7),
        (json!({ "in_days": 3 }), 3),
        (json!({ "in_days": 0 }), 1),
        (json!({ "in_days": -5 }), 1),
        (json!({ "in_days": 400 }), 365),
        (json!({ "in_days": 1e12 }), 365),
    ] {
        let before = now();
        let answer = tab.post(PATH, &body);
        let after = now();
        let said = answer.json();
        assert_eq!((answer.status(), &said["authenticated"]), (200, &json!(true)), "{body}: {said}");
        let reminder = &said["reminder"];
        let at = reminder["next_audit_at"].as_u64().unwrap();
        assert!((before + days * DAY..=after + days * DAY).contains(&at), "{body}: {said}");
        assert!((before..=after).contains(&reminder["set_at"].as_u64().unwrap()), "{said}");
        assert_eq!(reminder["user_email"], ADA);
        assert_eq!(reminder.as_object().unwrap().len(), 3, "{said}");
        assert_eq!(on_disk(&world).as_ref(), Some(reminder));
        assert_eq!(tab.get(PATH).json()["reminder"], *reminder);
        assert_eq!(tab.get("/api/auth/status").json()["reminder"], *reminder);
    }
    let at = now() + 30 * DAY;
    let answer = tab.post(PATH, &json!({ "in_days": 3, "at": at }));
    assert_eq!(answer.json()["reminder"]["next_audit_at"], at, "the time wins");
    // Without a body, as the default.
    assert_eq!(tab.call("POST", PATH, None).status(), 200);
    let cleared = tab.call("DELETE", PATH, None);
    assert_eq!((cleared.status(), cleared.json()), (200, json!({ "ok": true })));
    assert_eq!(tab.get("/api/auth/status").json()["reminder"], Value::Null);
    assert_eq!(on_disk(&world), None);
    assert_eq!(tab.call("DELETE", PATH, None).json(), json!({ "ok": true }), "there was none to clear");
}

#[test]
fn a_senseless_time_is_400_and_changes_nothing() {
    let world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    tab.post(PATH, &json!({ "in_days": 9 }));
    let set = on_disk(&world);
    assert!(set.is_some());
    let (past, far) = (now() - 60, now() + 366 * DAY);
    for body in [
        json!({ "at": past }),
        json!({ "at": past, "in_days": 3 }),
        json!({ "at": far }),
        json!({ "at": far * 1000 }),
        json!({ "at": -1 }),
        json!({ "at": 1e300 }),
        json!({ "at": "2030-01-01T00:00:00Z" }),
        json!({ "in_days": "7" }),
        json!({ "in_days": true }),
        json!([]),
        json!("soon"),
    ] {
        is_problem(&tab.post(PATH, &body), 400, "validation_error");
    }
    assert_eq!(on_disk(&world), set);
}

#[test]
fn the_api_server_need_not_be_there() {
    let mut world = World::signed_in(Setup::default());
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    world.proxy.go_away();
    assert_eq!(tab.post(PATH, &json!({ "in_days": 3 })).status(), 200);
    assert!(on_disk(&world).is_some());
    assert_eq!(tab.call("DELETE", PATH, None).status(), 200);
    assert_eq!(on_disk(&world), None);
    world.proxy.come_back();
}
