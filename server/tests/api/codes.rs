//! Login codes: sent, single-use, expiring, mortal; the same for known and unknown addresses.

use std::time::Duration;

use serde_json::json;

use crate::kit::room::everything_in;
use crate::kit::server::{Options, code_in, start, wrong};
use crate::kit::wire::Answer;

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_code_signs_in_and_is_answered_by_contract() {
    let server = start(Options::default()).await;
    let asked = server.ask_code(" Ada@Example.com ").await;
    asked.expect(200);
    let mut answer = asked.json();
    let id = answer.as_object_mut().unwrap().remove("request_id").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 43);
    assert_eq!(answer, json!({ "status": "code_sent", "expires_in": 600, "resend_available_in": 30 }));
    let code = code_in(&server.mails(1).await[0]);
    let answer = server.verify(ADA, &code).await;
    answer.expect(200);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["access_expires_in"], 3600);
    assert_eq!(body["refresh_expires_in"], 30 * 86_400);
    assert_eq!(body["refresh_retry"], json!({ "v": 1, "until": "used" }));
    assert_eq!(body["user"]["email"], ADA);
    assert_eq!(answer.text("refresh_token").len(), 43);
    assert_eq!(body.as_object().unwrap().len(), 7, "{body}");
    assert_eq!(server.events("login").await, 1);
}

#[tokio::test]
async fn the_access_token_is_an_hs256_jwt_with_every_claim() {
    use base64::Engine as _;
    let server = start(Options::default()).await;
    let me = server.sign_in().await;
    let parts: Vec<serde_json::Value> = me
        .access
        .split('.')
        .take(2)
        .map(|part| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap())
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .collect();
    assert_eq!(parts[0]["alg"], "HS256");
    let claims = parts[1].as_object().unwrap();
    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
    assert_eq!(names, ["aud", "email", "exp", "gen", "iat", "iss", "jti", "sid", "sub"]);
    assert_eq!(claims["sub"], me.user_id.as_str());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
}

#[tokio::test]
async fn a_code_works_once() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    server.verify(ADA, &code).await.expect(200);
    server.verify(ADA, &code).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn a_code_belongs_to_its_address() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    server.verify("eve@example.com", &code).await.expect_error(401, "unauthorized");
    server.verify(ADA, &code).await.expect(200);
}

#[tokio::test]
async fn a_code_expires_after_ten_minutes() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    server.clock.advance(Duration::from_secs(600));
    server.verify(ADA, &code).await.expect_error(401, "unauthorized");
    let code = server.new_code(ADA, 2).await;
    server.clock.advance(Duration::from_secs(599));
    server.verify(ADA, &code).await.expect(200);
}

#[tokio::test]
async fn each_code_counts_for_its_own_time() {
    let server = start(Options::default()).await;
    let old = server.new_code(ADA, 1).await;
    server.clock.advance(Duration::from_secs(300));
    let new = server.new_code(ADA, 2).await;
    server.verify(ADA, &old).await.expect(200);
    server.clock.advance(Duration::from_secs(300));
    server.verify(ADA, &new).await.expect(200);
}

#[tokio::test]
async fn a_code_dies_after_five_wrong_guesses() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    for _ in 0..5 {
        server.verify(ADA, &wrong(&code)).await.expect_error(401, "unauthorized");
    }
    server.verify(ADA, &code).await.expect_error(401, "unauthorized");
}

#[tokio::test]
async fn the_fifth_guess_may_still_be_the_right_one() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    for _ in 0..4 {
        server.verify(ADA, &wrong(&code)).await.expect_error(401, "unauthorized");
    }
    server.verify(ADA, &code).await.expect(200);
}

#[tokio::test]
async fn known_and_unknown_addresses_get_the_same_answers() {
    let server = start(Options::without_limits()).await;
    server.sign_in().await;
    let (known, unknown) = (server.ask_code(ADA).await, server.ask_code("nobody@example.com").await);
    let without_id = |answer: &Answer| {
        let mut body = answer.json();
        body["request_id"].take();
        (answer.status, body)
    };
    assert_eq!(without_id(&known), without_id(&unknown));
    for email in ["nobody@example.com", "never-asked@example.com"] {
        let known = server.verify(ADA, "000000").await;
        let unknown = server.verify(email, "000000").await;
        assert_eq!((known.status, known.body), (unknown.status, unknown.body));
    }
}

#[tokio::test]
async fn the_database_holds_no_code_or_token() {
    let server = start(Options::default()).await;
    let code = server.new_code(ADA, 1).await;
    let answer = server.verify(ADA, &code).await;
    let secrets = [answer.text("refresh_token"), answer.text("access_token")];
    for (name, bytes) in everything_in(server.folder()).await {
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{name}");
        }
    }
}
