//! Who shares an address, or a /48, with somebody: what they do wrong keeps nobody from what is right.

use std::time::Duration;

use everkey_server::limits::Limits;
use everkey_server::rules::rate::Limit;
use serde_json::json;

use crate::kit::achilles;
use crate::kit::browser::{Browser, signed_in};
use crate::kit::login_from::{any_code_in, crowded, post};
use crate::kit::server::{Options, Server, no_limits, start};
use crate::kit::team::{call, cast_with};
use crate::kit::wire::{Answer, request};

const VERA: &str = "vera@example.com";
const HOME: &str = "2001:db8:7:100::5";

async fn ask(server: &Server, from: &str) -> String {
    post(server, from, "request", json!({ "email": VERA })).await.expect(200).text("request_id")
}

/// The newest code in the mailbox, once there are so many letters.
async fn newest(server: &Server, letters: usize) -> String {
    let mail = server.mails(letters).await.pop().unwrap();
    any_code_in(&mail)
}

async fn guess(server: &Server, from: &str, email: &str, code: &str) -> Answer {
    post(server, from, "verify", json!({ "email": email, "code": code })).await
}

/// From this address 26 guesses at Vera's codes and 274 at made-up addresses: its limit.
async fn crowd(server: &Server, from: &str) {
    for n in 0..300 {
        let made_up = format!("nobody{n}@example.com");
        guess(server, from, if n < 26 { VERA } else { &made_up }, "000000").await.expect(401);
    }
    guess(server, from, "nobody@example.com", "000000").await.expect_error(429, "rate_limited");
}

#[tokio::test]
async fn a_neighbour_who_guesses_keeps_no_long_code_out() {
    let server = crowded().await;
    crowd(&server, HOME).await;
    for letters in 1..=2 {
        let id = ask(&server, HOME).await;
        let code = newest(&server, letters).await;
        assert_eq!(code.len(), 16, "somebody guesses here");
        let body = |code: &str| match letters {
            1 => json!({ "email": VERA, "code": code, "request_id": id }),
            _ => json!({ "email": VERA, "code": code }),
        };
        // A wrong one costs what being refused costs, and waits.
        let wrong = post(&server, HOME, "verify", body("0000000000000000")).await;
        wrong.expect_error(429, "rate_limited");
        assert!(wrong.header("retry-after").is_some());
        post(&server, HOME, "verify", body(&code)).await.expect(200);
    }
}

#[tokio::test]
async fn a_48_that_guesses_keeps_no_long_code_out() {
    let server = crowded().await;
    let mut limited = 0;
    for n in 0..2_500 {
        let from = format!("2001:db8:7:{:x}00::1", n % 58 + 2);
        let answer = guess(&server, &from, &format!("nobody{n}@example.com"), "000000").await;
        limited += u32::from(answer.status == 429);
    }
    assert_eq!(limited, 100, "eight times what one network may");
    ask(&server, HOME).await;
    let code = newest(&server, 1).await;
    assert_eq!(code.len(), 16, "where a network is full, six digits could not be typed without an id");
    guess(&server, HOME, VERA, &code).await.expect(200);
}

#[tokio::test]
async fn nonsense_links_keep_no_right_link_out() {
    let limits = Limits { code_cooldown: Duration::ZERO, ..Limits::default() };
    let cast = cast_with(Options { limits, ..Options::default() }).await;
    let report = format!("{}/reports/{}", cast.home, cast.report(&cast.owner).await.expect(201).text("id"));
    let body = json!({ "expires_in_days": 1 });
    let made = call(&cast.server, "POST", &format!("{report}/shares"), &cast.owner.access, Some(body)).await;
    let url = made.expect(201).text("url");
    let path = url.strip_prefix("http://everkey.example").unwrap();
    let open = async |path: String| request("GET", &path).send(cast.server.address).await;
    for n in 0..60 {
        open(if n % 2 == 0 { "/s/nonsense".to_owned() } else { format!("{path}x/files/0") })
            .await
            .expect(404);
    }
    open("/s/nonsense".to_owned()).await.expect(429);
    open(path.to_owned()).await.expect(200);
    open(format!("{path}/files/0")).await.expect(404);
    // Each link is opened so often in one network.
    for _ in 2..60 {
        open(path.to_owned()).await.expect(200);
    }
    open(path.to_owned()).await.expect(429);
}

#[tokio::test]
async fn neighbours_wrong_user_codes_keep_no_first_code_out() {
    let two = Limit { max: 2, window: Duration::from_secs(600) };
    let limits = Limits { wrong_user_codes_per_ip: two, ..no_limits() };
    let server = start(Options { limits, ..Options::default() }).await;
    let (mut ada, mut bob) = (signed_in(&server, "ada@example.com").await, Browser::new());
    bob.sign_in(&server, "bob@example.com", 2).await;
    for status in [400, 400, 429, 429] {
        ada.type_code(&server, "ABCD-2345").await.expect(status);
    }
    let (_, user) = achilles::begin(&server).await;
    ada.type_code(&server, &user).await.expect(429);
    bob.type_code(&server, &user).await.expect(200);
    // A wrong one of his own, and he waits like the others.
    bob.type_code(&server, "ABCD-2345").await.expect(429);
    bob.type_code(&server, &user).await.expect(429);
}
