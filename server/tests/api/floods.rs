//! What somebody repeats without end leaves few rows.

use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::server::{Options, Server, SignedIn, start};
use crate::kit::wire::{Answer, request};

async fn refresh(server: &Server, me: &SignedIn) -> Answer {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &"k".repeat(43))
        .json(&json!({ "refresh_token": me.refresh }))
        .send(server.address)
        .await
}

#[tokio::test]
async fn repeats_and_refusals_leave_few_lines() {
    let server = start(Options::without_limits()).await;
    let (me, other) = (server.sign_in().await, server.sign_in_as("bob@example.com", 2).await);
    refresh(&server, &me).await.expect(200);
    for _ in 0..300 {
        refresh(&server, &me).await.expect(200);
    }
    assert!(server.events("repeat_answered").await < 30);
    server.post("/v0/auth/logout", &json!({ "refresh_token": me.refresh })).await;
    let body = json!({ "refresh_token": me.refresh });
    for _ in 0..300 {
        server.post("/v0/auth/token/refresh", &body).await.expect(401);
    }
    let refused = server.events("refused").await;
    assert!((1..30).contains(&refused), "{refused}");
    // One user's flood takes no line from another's.
    refresh(&server, &other).await.expect(200);
    let before = server.events("repeat_answered").await;
    refresh(&server, &other).await.expect(200);
    assert_eq!(server.events("repeat_answered").await, before + 1);
}

#[tokio::test]
async fn events_go_when_their_own_limit_counts_them_no_more() {
    let server = start(Options::default()).await;
    let housekeeping = server.housekeeping();
    let body = json!({ "email": "nobody@example.com", "code": "000000" });
    for _ in 0..10 {
        server.post("/v0/auth/login/verify", &body).await.expect(401);
    }
    server.clock.advance(Duration::from_secs(899));
    assert_eq!(housekeeping.tidy(server.clock.now()).await.unwrap(), 0);
    server.clock.advance(Duration::from_secs(2));
    assert_eq!(housekeeping.tidy(server.clock.now()).await.unwrap(), 10, "by network, not by email");
}
