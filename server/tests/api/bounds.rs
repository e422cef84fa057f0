//! Nothing grows without end: the audit, clients, sessions.

use std::time::Duration;

use everkey_server::db::audit::AuditEntry;
use everkey_server::jobs::housekeeping::Housekeeping;
use everkey_server::limits::Limits;
use everkey_server::rules::audit_event::AuditEvent;
use everkey_server::rules::rate::Limit;
use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::authorize::{answer, ask};
use crate::kit::browser::{Browser, signed_in};
use crate::kit::oauth::{Client, text};
use crate::kit::server::{Options, Server, no_limits, start};
use crate::kit::wire::{Answer, request};

const DAY: Duration = Duration::from_secs(86_400);

fn limited(change: impl FnOnce(&mut Limits)) -> Options {
    let mut limits = no_limits();
    change(&mut limits);
    Options { limits, ..Options::default() }
}

async fn tidy(server: &Server, limits: Limits) -> u64 {
    let (store, clock) = (server.store.clone(), server.clock.clone());
    let housekeeping = Housekeeping { store, limits, refresh_ttl: 30 * DAY, clock };
    housekeeping.tidy(server.clock.now()).await.unwrap()
}

async fn record(server: &Server, event: AuditEvent) {
    let mut tx = server.store.begin().await.unwrap();
    let entry = AuditEntry { event, session: None, generation: None, detail: None };
    tx.record(entry, server.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_flood_of_refused_guesses_leaves_few_lines() {
    let server = start(Options::without_limits()).await;
    for number in 0..900 {
        server.verify(&format!("a{number}@example.com"), "123456").await;
    }
    let lines = server.events("code_refused").await;
    assert!((200..210).contains(&lines), "{lines} lines");
}

#[tokio::test]
async fn old_lines_of_the_audit_go_and_alarms_stay() {
    let server = start(Options::default()).await;
    record(&server, AuditEvent::Rotated).await;
    record(&server, AuditEvent::ReplayRevokedAll).await;
    server.clock.advance(200 * DAY);
    record(&server, AuditEvent::Logout).await;
    tidy(&server, Limits::default()).await;
    let left = async |event: &'static str| server.events(event).await;
    assert_eq!((left("rotated").await, left("replay_revoked_all").await, left("logout").await), (0, 1, 1));
    server.clock.advance(600 * DAY);
    record(&server, AuditEvent::Logout).await;
    tidy(&server, Limits::default()).await;
    assert_eq!((left("replay_revoked_all").await, left("logout").await), (0, 1));
}

#[tokio::test]
async fn the_database_lets_no_young_line_go() {
    let server = start(Options::default()).await;
    record(&server, AuditEvent::Rotated).await;
    let later = server.clock.now().plus(DAY);
    let mut tx = server.store.begin().await.unwrap();
    assert!(tx.forget_audit(later, later).await.is_err());
    drop(tx);
    // Nor does housekeeping try, whatever the limits say.
    server.clock.advance(10 * DAY);
    record(&server, AuditEvent::Rotated).await;
    let hasty = Limits { audit_kept: Duration::ZERO, alarms_kept: Duration::ZERO, ..Limits::default() };
    tidy(&server, hasty).await;
    assert_eq!(server.events("rotated").await, 2);
    for event in AuditEvent::ALARMS {
        record(&server, event).await;
        server.clock.advance(60 * DAY);
        record(&server, AuditEvent::Logout).await;
        let now = server.clock.now();
        let mut tx = server.store.begin().await.unwrap();
        assert!(tx.forget_audit(now.minus(800 * DAY), now.minus(31 * DAY)).await.is_err(), "{event:?}");
        drop(tx);
        // After a year it goes, and with it the line of this turn.
        server.clock.advance(400 * DAY);
        record(&server, AuditEvent::Logout).await;
        let now = server.clock.now();
        let mut tx = server.store.begin().await.unwrap();
        assert!(tx.forget_audit(now.minus(800 * DAY), now.minus(31 * DAY)).await.is_ok(), "{event:?}");
        tx.commit().await.unwrap();
    }
}

async fn register(server: &Server) -> Answer {
    let body = json!({ "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none" });
    request("POST", "/register").json(&body).send(server.address).await
}

#[tokio::test]
async fn unused_clients_make_room_and_are_swept() {
    let server = start(limited(|limits| limits.clients_most = 3)).await;
    for _ in 0..3 {
        register(&server).await.expect(201);
    }
    let full = register(&server).await;
    assert!(full.expect(403).body.contains("clients_most"), "{full:?}");
    server.clock.advance(Duration::from_secs(7200));
    register(&server).await.expect(201);
    let count = async || server.store.begin_reading().await.unwrap().count_clients().await.unwrap();
    assert_eq!(count().await, 3);
    server.clock.advance(31 * DAY);
    tidy(&server, Limits::default()).await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn one_user_has_only_so_many_sessions() {
    let server = start(limited(|limits| limits.sessions_per_user = 2)).await;
    for n in 1..=2 {
        server.sign_in_as("ada@example.com", n).await;
    }
    let code = server.new_code("ada@example.com", 3).await;
    let full = server.verify("ada@example.com", &code).await;
    assert!(full.expect_error(403, "too_many").body.contains("sessions_per_user"), "{full:?}");
    // The pages stay open, so that some can be ended there.
    let mut browsers = Vec::new();
    for n in 4..=6 {
        let mut browser = Browser::new();
        browser.sign_in(&server, "ada@example.com", n).await;
        browsers.push(browser);
    }
    let mut statuses = Vec::new();
    for browser in &mut browsers {
        statuses.push(browser.get(&server, "/dashboard/sessions").await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert_eq!(statuses[2], 200, "the newest is signed in");
}

/// Refreshes for an app.
async fn is_live(server: &Server, client: &Client, token: &str) -> bool {
    server.oauth_refresh(client, token, &[]).await.status == 200
}

#[tokio::test]
async fn apps_can_not_keep_their_user_out() {
    let server = start(limited(|limits| limits.sessions_per_user = 4)).await;
    let me = server.sign_in_as("ada@example.com", 1).await;
    let (greedy, other) = (server.public_client().await, server.public_client().await);
    let mut tokens = Vec::new();
    for _ in 0..6 {
        server.clock.advance(Duration::from_secs(1));
        tokens.push(text(&server.oauth_tokens(&me, &greedy, "email").await, "refresh_token"));
    }
    // The oldest of the same app has made room for each that was too many.
    let mut live = Vec::new();
    for token in &tokens {
        live.push(is_live(&server, &greedy, token).await);
    }
    assert_eq!(live, [false, false, false, true, true, true]);
    let code = server.code(&me, &other, "email").await;
    let full = server.exchange(&other, &code, &[]).await;
    assert!(full.expect(403).body.contains("sessions_per_user"), "{full:?}");
    // A code by email outranks what was let in from a browser: the longest unused of that goes.
    for n in 2..=4 {
        server.sign_in_as("ada@example.com", n).await;
    }
    let code = server.new_code("ada@example.com", 5).await;
    let full = server.verify("ada@example.com", &code).await;
    assert!(full.expect_error(403, "too_many").body.contains("sessions_per_user"), "{full:?}");
    assert_eq!(server.get("/v0/auth/me", &me.access).await.status, 200);
}

#[tokio::test]
async fn one_user_lets_only_so_many_in_an_hour() {
    let hourly = Limit { max: 3, window: Duration::from_secs(3600) };
    let server = start(limited(|limits| limits.consents_per_user = hourly)).await;
    let (app, device) = (server.public_client().await, server.device_client("a tool").await);
    let mut browser = signed_in(&server, "ada@example.com").await;
    for _ in 0..2 {
        answer(&mut browser, &server, &ask(&app, &[]), "allow").await.expect(303);
    }
    let codes = server.device_codes(&device, "email").await;
    browser.decide(&server, &text(&codes, "user_code"), "approve").await;
    let full = answer(&mut browser, &server, &ask(&app, &[]), "allow").await;
    assert_eq!(full.expect(429).header("retry-after"), Some("3600"));
    let codes = server.device_codes(&device, "email").await;
    let page = browser.type_code(&server, &text(&codes, "user_code")).await;
    browser.say(&server, &page, "approve").await.expect(429);
    // Saying no is always possible, and others are not held.
    browser.say(&server, &page, "deny").await.expect(200);
    answer(&mut browser, &server, &ask(&app, &[]), "deny").await.expect(303);
    let mut bob = Browser::new();
    bob.sign_in(&server, "bob@example.com", 2).await;
    answer(&mut bob, &server, &ask(&app, &[]), "allow").await.expect(303);
    server.clock.advance(Duration::from_secs(3600));
    answer(&mut browser, &server, &ask(&app, &[]), "allow").await.expect(303);
}
