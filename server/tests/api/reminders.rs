//! The re-audit reminder: one per user, within a year.

use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};

use crate::kit::server::{Options, Server, start};
use crate::kit::wire::{Answer, request};

const PATH: &str = "/v0/reminders";

async fn set(server: &Server, token: &str, body: &Value) -> Answer {
    request("POST", PATH).bearer(token).json(body).send(server.address).await
}

#[tokio::test]
async fn set_get_replace_and_clear() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    assert_eq!(server.get(PATH, &me.access).await.json(), json!({ "reminder": null }));
    let now = server.clock.now().secs();
    let answer = set(&server, &me.access, &json!({ "in_days": 7 })).await;
    answer.expect(200);
    let expected = json!({ "reminder": {
        "user_id": me.user_id, "email": "ada@example.com", "fire_at": now + 7 * 86_400, "set_at": now,
    }});
    assert_eq!(answer.json(), expected);
    assert_eq!(server.get(PATH, &me.access).await.json(), expected);
    set(&server, &me.access, &json!({ "at": now + 60 })).await.expect(200);
    assert_eq!(server.get(PATH, &me.access).await.json()["reminder"]["fire_at"], now + 60);
    for _ in 0..2 {
        request("DELETE", PATH).bearer(&me.access).send(server.address).await.expect(204);
    }
    assert_eq!(server.get(PATH, &me.access).await.json(), json!({ "reminder": null }));
}

#[tokio::test]
async fn nobody_sees_anothers() {
    let server = start(Options::without_limits()).await;
    let ada = server.sign_in_as("ada@example.com", 1).await;
    server.clock.advance(Duration::from_secs(1));
    let bob = server.sign_in_as("bob@example.com", 2).await;
    set(&server, &ada.access, &json!({ "in_days": 1 })).await.expect(200);
    assert_eq!(server.get(PATH, &bob.access).await.json(), json!({ "reminder": null }));
    request("DELETE", PATH).bearer(&bob.access).send(server.address).await.expect(204);
    assert_eq!(server.get(PATH, &ada.access).await.json()["reminder"]["email"], "ada@example.com");
}

#[tokio::test]
async fn senseless_times_are_refused_and_set_nothing() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let now = server.clock.now().secs();
    for body in [
        json!({}),
        json!({ "in_days": null }),
        json!({ "in_days": 0 }),
        json!({ "in_days": 366 }),
        json!({ "in_days": 1.5 }),
        json!({ "in_days": "7" }),
        json!({ "in_days": -1 }),
        json!({ "at": now }),
        json!({ "at": now + 366 * 86_400 }),
        json!({ "at": "tomorrow" }),
        json!({ "at": i64::MAX }),
        json!({ "in_days": 7, "at": now - 1 }),
        json!([7]),
    ] {
        set(&server, &me.access, &body).await.expect_error(400, "validation_error");
    }
    assert_eq!(server.get(PATH, &me.access).await.json(), json!({ "reminder": null }));
}

#[tokio::test]
async fn every_method_needs_a_session() {
    let server = start(Options::default()).await;
    for method in ["GET", "POST", "DELETE"] {
        let bare = request(method, PATH).json(&json!({ "in_days": 7 }));
        bare.send(server.address).await.expect_error(401, "unauthorized");
    }
}
