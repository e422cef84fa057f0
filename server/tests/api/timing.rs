//! Known and unknown addresses take the same time. Ratios of interleaved medians, no absolute times.

use std::time::Instant;

use everkey_server::db::throttle::ThrottleKind;
use everkey_server::limits::Limits;

use crate::kit::server::{Options, no_limits, start};
use crate::kit::timing::expect_alike;

const ROUNDS: usize = 60;

/// Who always comes second could always get the same one of several connections, and that could be the slower one.
fn in_turn<T>(round: usize, one: T, two: T) -> [T; 2] {
    if round.is_multiple_of(2) { [one, two] } else { [two, one] }
}

#[tokio::test]
async fn known_and_unknown_addresses_take_equally_long() {
    let endless = Limits { guesses_per_code: 5_000, ..no_limits() };
    let server = start(Options { limits: endless, ..Options::default() }).await;
    server.sign_in().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (email, times) in
            in_turn(round, ("ada@example.com", &mut known), ("nobody@example.com", &mut unknown))
        {
            let began = Instant::now();
            server.ask_code(email).await.expect(200);
            times.push(began.elapsed());
        }
    }
    expect_alike("asking for a code", known, unknown);

    let code = server.new_code("ada@example.com", 2 * ROUNDS + 2).await;
    let guess = crate::kit::server::wrong(&code);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (email, times) in
            in_turn(round, ("ada@example.com", &mut known), ("never-asked@example.com", &mut unknown))
        {
            let began = Instant::now();
            server.verify(email, &guess).await.expect_error(401, "unauthorized");
            times.push(began.elapsed());
        }
    }
    expect_alike("guessing a code", known, unknown);
    let kind = ThrottleKind::WrongGuessFromIp;
    assert_eq!(server.counted(kind, "127.0.0.1").await, 2 * ROUNDS, "both take the same transactions");
}
