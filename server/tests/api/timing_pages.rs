//! The pages tell by time as little as by words whether an address is known, or has a second factor.

use std::time::{Duration, Instant};

use everkey_server::db::throttle::ThrottleKind;
use everkey_server::limits::Limits;

use crate::kit::browser::{Browser, token_in};
use crate::kit::second_factor::{ADA, protected};
use crate::kit::server::{Options, Server, code_in, no_limits};
use crate::kit::timing::expect_alike;
use crate::kit::wire::Answer;

const ROUNDS: usize = 45;
const KNOWN: &str = "known@example.com";
const ADDRESSES: [&str; 3] = ["unknown@example.com", KNOWN, ADA];

/// Times what `send` does for each of the three addresses, each as often first as the others, and compares the two
/// known ones with the unknown one.
async fn compare(what: &str, mut send: impl AsyncFnMut(usize) -> Duration) {
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for turn in 0..3 {
            let which = (round + turn) % 3;
            times[which].push(send(which).await);
        }
    }
    let [unknown, known, guarded] = times;
    expect_alike(&format!("{what}, a second factor"), guarded, unknown.clone());
    expect_alike(what, known, unknown);
}

async fn timed(
    browser: &mut Browser,
    server: &Server,
    path: &str,
    fields: &[(&str, &str)],
) -> (Duration, Answer) {
    let began = Instant::now();
    let answer = browser.post(server, path, fields).await;
    (began.elapsed(), answer)
}

#[tokio::test]
async fn the_sign_in_page_takes_equally_long_for_every_address() {
    let limits = Limits { guesses_per_code: 5_000, ..no_limits() };
    let (server, _, _) = protected(Options { limits, ..Options::default() }).await;
    Browser::new().sign_in(&server, KNOWN, 2).await;

    let mut browsers = [(); 3].map(|()| Browser::new());
    compare("asking for a code", async |which| {
        let browser = &mut browsers[which];
        let token = browser.token(&server, "/signin").await;
        let fields = [("csrf", token.as_str()), ("email", ADDRESSES[which])];
        let (time, answer) = timed(browser, &server, "/signin", &fields).await;
        assert_eq!(answer.expect(303).header("location"), Some("/signin/code"));
        time
    })
    .await;

    let sent: Vec<String> = server.mails(2 + 3 * ROUNDS).await.iter().map(|mail| code_in(mail)).collect();
    let guess = (0..).map(|n| format!("{n:06}")).find(|guess| !sent.contains(guess)).unwrap();
    let mut tokens = Vec::new();
    for browser in &mut browsers {
        tokens.push(token_in(browser.get(&server, "/signin/code").await.expect(200)));
    }
    compare("guessing a code", async |which| {
        let fields = [("csrf", tokens[which].as_str()), ("code", guess.as_str())];
        let (time, answer) = timed(&mut browsers[which], &server, "/signin/code", &fields).await;
        answer.expect(422);
        time
    })
    .await;
    let kind = ThrottleKind::WrongGuessFromIp;
    assert_eq!(server.counted(kind, "127.0.0.1").await, 3 * ROUNDS, "all take the same transactions");
}
