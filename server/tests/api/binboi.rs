//! binboi's routes: who may do what, and the shape of every answer.

use serde_json::{Value, json};

use crate::kit::binboi::{ME, TOKENS, expect_plain, make, revoke};
use crate::kit::server::{Options, start};
use crate::kit::wire::request;

#[tokio::test]
async fn a_token_is_made_shown_once_listed_and_revoked() {
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let made = make(&server, &me, &json!({ "name": "M2 MacBook" })).await;
    made.expect(201);
    let (body, token) = (made.json(), made.text("token"));
    let parts: Vec<&str> = token.split('_').collect();
    assert_eq!((parts[0], parts[1], parts[2].len(), parts[3].len()), ("binboi", "pat", 8, 36));
    let record = &body["record"];
    assert_eq!(record["prefix"], parts[..3].join("_"));
    assert_eq!((&record["name"], &record["status"]), (&json!("M2 MacBook"), &json!("ACTIVE")));
    assert_eq!(record["createdAt"], "2027-01-15T08:00:00.000Z");
    assert_eq!((&record["lastUsedAt"], &record["revokedAt"]), (&Value::Null, &Value::Null));
    assert_eq!(record["expiresAt"], "2027-04-15T08:00:00.000Z");
    assert_eq!(body["limits"], json!({ "plan": "FREE", "max_tokens": 3, "tokens_used": 1 }));
    assert_eq!(body["user"]["id"], me.user_id);

    let whose = server.get(ME, &token).await;
    whose.expect(200);
    let user = json!({ "id": me.user_id, "name": "", "email": "ada@example.com", "plan": "FREE" });
    let expected = json!({
        "user": user, "token_prefix": record["prefix"], "auth_mode": "personal-access-token",
    });
    assert_eq!(whose.json(), expected);

    let list = server.get(TOKENS, &me.access).await;
    list.expect(200);
    assert!(!list.body.contains(parts[3]), "the secret is never shown again");
    assert_eq!(list.json()["tokens"][0]["lastUsedAt"], "2027-01-15T08:00:00.000Z");

    let gone = revoke(&server, &me, record["id"].as_str().unwrap()).await;
    gone.expect(200);
    assert_eq!(gone.json()["tokens"][0]["status"], "REVOKED");
    assert_eq!(gone.json()["limits"]["tokens_used"], 0);
    expect_plain(&server.get(ME, &token).await, 401);
    revoke(&server, &me, record["id"].as_str().unwrap()).await.expect(200);
    assert_eq!(
        (server.events("personal_token_made").await, server.events("personal_token_revoked").await),
        (1, 1)
    );
}

#[tokio::test]
async fn a_token_of_one_kind_opens_nothing_of_the_other() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let token = make(&server, &me, &json!({})).await.text("token");
    expect_plain(&server.get(ME, &me.access).await, 401);
    expect_plain(&server.get(ME, &me.refresh).await, 401);
    expect_plain(&server.get(TOKENS, &token).await, 401);
    let more = request("POST", TOKENS).bearer(&token).json(&json!({})).send(server.address).await;
    expect_plain(&more, 401);
    server.get("/v0/auth/me", &token).await.expect_error(401, "unauthorized");
    assert_eq!(server.get(TOKENS, &me.access).await.json()["tokens"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_sees_or_revokes_anothers_token() {
    let server = start(Options::without_limits()).await;
    let (ada, bob) = (server.sign_in().await, server.sign_in_as("bob@example.com", 2).await);
    let made = make(&server, &ada, &json!({ "name": "hers" })).await;
    let id = made.json()["record"]["id"].as_str().unwrap().to_owned();
    expect_plain(&revoke(&server, &bob, &id).await, 404);
    assert_eq!(server.get(TOKENS, &bob.access).await.json()["tokens"], json!([]));
    server.get(ME, &made.text("token")).await.expect(200);
}

#[tokio::test]
async fn bad_requests_change_nothing_and_answer_in_binbois_shape() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let long = "x".repeat(65);
    for body in [
        json!({ "name": 7 }),
        json!({ "name": long }),
        json!({ "name": "a\u{202e}b" }),
        json!({ "name": "a\nb" }),
        json!({ "expires_in_days": 0 }),
        json!({ "expires_in_days": 367 }),
        json!({ "expires_in_days": -1 }),
        json!({ "expires_in_days": "soon" }),
    ] {
        expect_plain(&make(&server, &me, &body).await, 400);
    }
    let twice = request("POST", TOKENS).bearer(&me.access).raw_json(br#"{"name":"a","name":"b"}"#);
    expect_plain(&twice.send(server.address).await, 400);
    let form = request("POST", TOKENS).bearer(&me.access).body(b"name=a").send(server.address).await;
    expect_plain(&form, 415);
    let large = json!({ "name": "x".repeat(20_000) });
    expect_plain(&make(&server, &me, &large).await, 413);
    let cookie = request("POST", TOKENS).header("cookie", &format!("session={}", me.access));
    expect_plain(&cookie.json(&json!({})).send(server.address).await, 401);
    for id in ["x", "%00", "%ff", "..%2f", "00000000-0000-0000-0000-000000000000"] {
        expect_plain(&revoke(&server, &me, id).await, 404);
    }
    assert_eq!(server.get(TOKENS, &me.access).await.json()["tokens"], json!([]));
}

#[tokio::test]
async fn a_hostile_name_comes_back_as_it_is_in_json() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let name = "\"><script>alert(1)</script>";
    let made = make(&server, &me, &json!({ "name": name })).await;
    assert_eq!(made.json()["record"]["name"], name);
}
