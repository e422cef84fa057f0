//! What is forgotten in time, and what must not be.

use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::json;

use crate::kit::server::{Options, start};
use crate::kit::wire::request;

#[tokio::test]
async fn only_what_can_no_longer_matter_is_forgotten() {
    let server = start(Options::default()).await;
    let housekeeping = server.housekeeping();
    let me = server.sign_in().await;
    let rotate = request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &"k".repeat(43))
        .json(&json!({ "refresh_token": me.refresh }));
    server.clock.advance(Duration::from_secs(86_400 * 29));
    let first = rotate.send(server.address).await;
    first.expect(200);

    // Three events and the code are gone; the spent token has lapsed, but its answer may still be repeated.
    server.clock.advance(Duration::from_secs(86_400 * 2));
    assert_eq!(housekeeping.tidy(server.clock.now()).await.unwrap(), 4);
    let again = rotate.send(server.address).await;
    again.expect(200);
    assert_eq!(again.text("refresh_token"), first.text("refresh_token"));

    server.clock.advance(Duration::from_secs(86_400 * 30));
    assert_eq!(housekeeping.tidy(server.clock.now()).await.unwrap(), 1);
    rotate.send(server.address).await.expect_error(401, "invalid_grant");
    assert_eq!(server.events("replay_revoked_all").await, 0);
}
