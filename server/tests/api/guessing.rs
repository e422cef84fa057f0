//! Strangers who ask for somebody's codes and guess at them: they use up nothing of hers, and she gets in.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;
use serde_json::json;

use crate::kit::login_from::{any_code_in, crowded, post};
use crate::kit::server::{Options, Server, code_in, start, wrong};

const ADA: &str = "ada@example.com";
const HOME: &str = "192.0.2.7";

/// The id of a request for Ada's code from this address.
async fn ask(server: &Server, from: &str) -> String {
    post(server, from, "request", json!({ "email": ADA })).await.expect(200).text("request_id")
}

async fn guess(server: &Server, from: &str, code: &str) -> u16 {
    post(server, from, "verify", json!({ "email": ADA, "code": code })).await.status
}

async fn guess_with(server: &Server, from: &str, code: &str, id: &str) -> u16 {
    post(server, from, "verify", json!({ "email": ADA, "code": code, "request_id": id })).await.status
}

/// Every code that was mailed, oldest first, once there are so many.
async fn codes(server: &Server, count: usize) -> Vec<String> {
    server.mails(count).await.iter().map(|mail| any_code_in(mail)).collect()
}

fn stranger(n: usize) -> String {
    format!("198.51.{}.{}", n / 250, n % 250 + 1)
}

#[tokio::test]
async fn guesses_without_a_code_cost_the_victim_nothing() {
    let server = crowded().await;
    for n in 0..120 {
        assert_eq!(guess(&server, &stranger(n % 7), "000000").await, 401);
    }
    let id = ask(&server, HOME).await;
    let code = code_in(&server.mails(1).await[0]);
    assert_eq!(guess_with(&server, HOME, &code, &id).await, 200);
}

#[tokio::test]
async fn a_request_of_others_leaves_a_code_alive() {
    let server = crowded().await;
    let id = ask(&server, HOME).await;
    let code = code_in(&server.mails(1).await[0]);
    for n in 0..8 {
        ask(&server, &stranger(n)).await;
    }
    let other = guess_with(&server, HOME, &code, &"x".repeat(43)).await;
    assert_eq!(other, 401, "an id that is not this code's");
    assert_eq!(guess_with(&server, &stranger(1), &code, &id).await, 200, "wherever the code is typed");
}

#[tokio::test]
async fn no_guess_without_the_id_uses_up_the_holders_five() {
    let server = crowded().await;
    let id = ask(&server, HOME).await;
    let code = code_in(&server.mails(1).await[0]);
    // From elsewhere, and from the same network.
    for from in [&stranger(1), HOME] {
        for _ in 0..8 {
            assert_eq!(guess(&server, from, &wrong(&code)).await, 401);
        }
        assert_eq!(guess(&server, from, &code).await, 401, "without the id it is dead there");
    }
    for _ in 0..4 {
        assert_eq!(guess_with(&server, HOME, &wrong(&code), &id).await, 401);
    }
    assert_eq!(guess_with(&server, HOME, &code, &id).await, 200);
}

#[tokio::test]
async fn a_client_without_ids_is_not_disturbed_from_elsewhere() {
    let server = crowded().await;
    ask(&server, HOME).await;
    let code = code_in(&server.mails(1).await[0]);
    ask(&server, &stranger(1)).await;
    for n in 0..8 {
        assert_eq!(guess(&server, &stranger(n), &wrong(&code)).await, 401);
    }
    assert_eq!(guess(&server, HOME, &code).await, 200);
}

#[tokio::test]
async fn strangers_fill_a_mailbox_so_far_and_keep_nobody_out() {
    let server = crowded().await;
    let id = ask(&server, HOME).await;
    assert_eq!(guess_with(&server, HOME, &codes(&server, 1).await[0], &id).await, 200);
    for n in 0..60 {
        ask(&server, &stranger(n)).await;
    }
    // Twenty first letters with hers, and a long one that serves the others.
    let strangers = codes(&server, 21).await;
    assert_eq!((strangers.len(), strangers[19].len(), strangers[20].len()), (21, 6, 16));

    let id = ask(&server, HOME).await;
    let own = codes(&server, 22).await.pop().unwrap();
    assert_eq!(own.len(), 6, "where she has signed in before, nothing is new");
    assert_eq!(guess_with(&server, HOME, &own, &id).await, 200);

    let on_the_way = "203.0.113.9";
    let id = ask(&server, on_the_way).await;
    assert_eq!(server.mails(22).await.len(), 22, "no letter more");
    assert_eq!(guess_with(&server, on_the_way, &strangers[20], &id).await, 200);
    let next = "203.0.113.10";
    ask(&server, next).await;
    let long = codes(&server, 23).await.pop().unwrap();
    assert_eq!((long.len(), guess(&server, next, &long).await), (16, 200), "without an id, too");
}

#[tokio::test]
async fn a_ledger_of_guesses_ends_them_for_the_day() {
    let limits = Limits { code_cooldown: Duration::ZERO, ..Limits::default() };
    let few = Limit { max: 6, window: Duration::from_secs(86_400) };
    let limits = Limits { failures_per_email: few, ..limits };
    let server = start(Options { limits, trusted: vec!["127.0.0.0/8"], ..Options::default() }).await;
    ask(&server, HOME).await;
    let code = codes(&server, 1).await.remove(0);
    for n in 0..5 {
        assert_eq!(guess(&server, &stranger(n), &wrong(&code)).await, 401);
    }
    server.clock.advance(Duration::from_secs(700));
    ask(&server, &stranger(9)).await;
    let long = codes(&server, 2).await.pop().unwrap();
    assert_eq!(long.len(), 16, "five of six are used");
    assert_eq!(guess(&server, "203.0.113.1", &long).await, 200);
    server.clock.advance(Duration::from_secs(86_400));
    ask(&server, &stranger(9)).await;
    assert_eq!(codes(&server, 3).await.pop().unwrap().len(), 6);
}

#[tokio::test]
async fn neighbours_who_ask_for_many_are_not_in_the_way() {
    let server = crowded().await;
    let id = ask(&server, HOME).await;
    assert_eq!(guess_with(&server, HOME, &codes(&server, 1).await[0], &id).await, 200);
    for n in 0..25 {
        let body = json!({ "email": format!("user{n}@example.com") });
        let status = post(&server, HOME, "request", body).await.status;
        assert_eq!(status, if n < 19 { 200 } else { 429 }, "{n}");
    }
    ask(&server, HOME).await;
}

#[tokio::test]
async fn a_48_gets_eight_times_what_a_64_gets() {
    let limit = Limit { max: 2, window: Duration::from_secs(900) };
    let limits = Limits { codes_per_ip: limit, ..Limits::default() };
    let server = start(Options { limits, trusted: vec!["127.0.0.0/8"], ..Options::default() }).await;
    let mut passed = 0;
    for n in 0..40 {
        let from = format!("2001:db8:7:{n:x}00::1");
        let body = json!({ "email": format!("user{n}@example.com") });
        passed += u32::from(post(&server, &from, "request", body).await.status == 200);
    }
    assert_eq!(passed, 16);
    let mut passed = 0;
    for n in 0..20 {
        let from = format!("2001:db8:8:{n:x}::1");
        let body = json!({ "email": format!("person{n}@example.com") });
        passed += u32::from(post(&server, &from, "request", body).await.status == 200);
    }
    assert_eq!(passed, 8, "a /56 gets four times as much");
}

#[tokio::test]
async fn a_network_that_guesses_too_often_waits() {
    let server = crowded().await;
    let mut statuses = Vec::new();
    for n in 0..320 {
        let body = json!({ "email": format!("user{}@example.com", n % 10), "code": "000000" });
        statuses.push(post(&server, &stranger(1), "verify", body).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 300);
    assert!(statuses[300..].iter().all(|status| *status == 429), "{statuses:?}");
}
