//! Bad input: the right status and code, no detail, nothing consumed.

use serde_json::json;

use crate::kit::authorize::ask;
use crate::kit::browser::signed_in;
use crate::kit::server::{Options, start};
use crate::kit::wire::{request, send_raw};

const ASK: &str = "/v0/auth/login/request";
const VERIFY: &str = "/v0/auth/login/verify";
const REFRESH: &str = "/v0/auth/token/refresh";

#[tokio::test]
async fn unknown_routes_and_methods_answer_in_json() {
    let server = start(Options::default()).await;
    for (method, path, status, code) in [
        ("GET", "/v0", 404, "not_found"),
        ("POST", "/v0/auth/nope", 404, "not_found"),
        ("GET", ASK, 405, "method_not_allowed"),
        ("DELETE", REFRESH, 405, "method_not_allowed"),
        ("PUT", "/v0/reminders", 405, "method_not_allowed"),
    ] {
        let answer = request(method, path).send(server.address).await;
        answer.expect_error(status, code);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{answer:?}");
    }
}

#[tokio::test]
async fn other_types_are_415_and_broken_json_is_400() {
    let server = start(Options::default()).await;
    let body = br#"{"email":"ada@example.com"}"#;
    let bare = request("POST", ASK).body(body);
    bare.send(server.address).await.expect_error(415, "unsupported_media_type");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let answer = request("POST", ASK).header("content-type", kind).body(body).send(server.address).await;
        answer.expect_error(415, "unsupported_media_type");
    }
    let deep = "[".repeat(10_000);
    let nested = format!("{{\"email\":{deep}");
    let broken: [&[u8]; 8] =
        [b"", b"{", b"null", b"\"a\"", b"[]", b"{\"email\":\"\xff\"}", deep.as_bytes(), nested.as_bytes()];
    for body in broken {
        let answer = request("POST", ASK).raw_json(body).send(server.address).await;
        answer.expect_error(400, "validation_error");
    }
    let with_charset =
        request("POST", ASK).header("content-type", "Application/JSON; charset=utf-8").body(body);
    with_charset.send(server.address).await.expect(200);
}

#[tokio::test]
async fn wrong_types_missing_and_repeated_fields_are_400() {
    let server = start(Options::default()).await;
    for (path, body) in [
        (ASK, r#"{}"#),
        (ASK, r#"{"email":null}"#),
        (ASK, r#"{"email":1}"#),
        (ASK, r#"{"email":["a@b.c"]}"#),
        (ASK, r#"["a@b.c"]"#),
        (ASK, r#"{"email":"a@b.c","email":"d@e.f"}"#),
        (VERIFY, r#"{"email":"a@b.c"}"#),
        (VERIFY, r#"{"email":"a@b.c","code":123456}"#),
        (VERIFY, r#"{"email":"a@b.c","code":"123456","code":"654321"}"#),
        (VERIFY, r#"{"email":"a@b.c","code":"12345"}"#),
        (VERIFY, r#"{"email":"a@b.c","code":"12345a"}"#),
        (VERIFY, r#"{"email":"nobody","code":"123456"}"#),
        (REFRESH, r#"{}"#),
        (REFRESH, r#"{"refresh_token":null}"#),
        (REFRESH, r#"{"refresh_token":{"a":1}}"#),
        (REFRESH, r#"{"refresh_token":"a","refresh_token":"b"}"#),
        ("/v0/auth/logout", r#"{"refresh_token":7}"#),
        ("/v0/auth/logout", r#"{}"#),
    ] {
        let answer = request("POST", path).raw_json(body.as_bytes()).send(server.address).await;
        answer.expect_error(400, "validation_error");
        assert!(!answer.body.contains("654321") && !answer.body.contains("d@e.f"), "echoes: {answer:?}");
    }
    assert_eq!(server.events("code_sent").await, 0);
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let server = start(Options::default()).await;
    server.post(ASK, &json!({ "email": "ada@example.com", "locale": "de" })).await.expect(200);
}

#[tokio::test]
async fn nothing_can_be_put_into_a_mail_through_its_address() {
    let server = start(Options::without_limits()).await;
    for email in [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com%0d%0aBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "\"ada\r\n.\r\n\"@example.com",
        "ada@example.com\u{0}",
        "ada@example.com\u{2028}x",
        "ada@exam ple.com",
        "<ada@example.com>",
    ] {
        server.ask_code(email).await.expect_error(400, "validation_error");
    }
    server.ask_code("ada@example.com").await.expect(200);
    let mails = server.mails(1).await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: ada@example.com\r\n") && !mails[0].contains("eve@"));
}

#[tokio::test]
async fn a_body_may_have_16_kib_and_no_more() {
    let server = start(Options::default()).await;
    let padded = |length: usize| {
        let frame = r#"{"email":"ada@example.com","pad":""}"#;
        format!(r#"{{"email":"ada@example.com","pad":"{}"}}"#, "x".repeat(length - frame.len()))
    };
    let fits = request("POST", ASK).raw_json(padded(16 * 1024).as_bytes());
    fits.send(server.address).await.expect(200);
    let too_large = request("POST", ASK).raw_json(padded(16 * 1024 + 1).as_bytes());
    too_large.send(server.address).await.expect_error(413, "payload_too_large");

    let declared = request("POST", ASK)
        .header("content-type", "application/json")
        .header("content-length", "1000000000")
        .send(server.address)
        .await;
    declared.expect_error(413, "payload_too_large");

    let mut chunked = request("POST", ASK)
        .header("content-type", "application/json")
        .header("transfer-encoding", "chunked")
        .bytes();
    for _ in 0..5 {
        chunked.extend_from_slice(b"1000\r\n");
        chunked.extend_from_slice(&[b' '; 4096]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    send_raw(server.address, &chunked).await.expect_error(413, "payload_too_large");
}

/// PostgreSQL can't hold it in text, and its refusal must not look like an outage.
#[tokio::test]
async fn a_nul_is_just_another_name_that_nobody_has() {
    let server = start(Options::without_limits()).await;
    let client = server.public_client().await;
    let mut browser = signed_in(&server, "ada@example.com").await;
    for query in ["client_id=%00", &format!("client_id={}%00", client.id)] {
        browser.get(&server, &format!("/authorize?{query}")).await.expect(400);
    }
    // Nobody has let this client in yet, so its user decides whether to go there with the error.
    let answer = browser.get(&server, &ask(&client, &[("nonce", "a\0b")])).await;
    assert!(answer.expect(400).body.contains("error=invalid_request"), "{answer:?}");

    let form = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", "\0")];
    for path in ["/token", "/revoke", "/introspect", "/device_authorization"] {
        let answer = request("POST", path).form(&form).send(server.address).await;
        assert!(matches!(answer.status, 400 | 401), "{path} {answer:?}");
    }
    let basic = request("POST", "/token").header("authorization", "Basic JTAwOng=").form(&form[..2]);
    basic.send(server.address).await.expect_oauth_error(401, "invalid_client");
    for (page, path, field) in [
        ("/dashboard/sessions", "/dashboard/sessions/end", "session"),
        ("/dashboard/access-tokens", "/dashboard/access-tokens/revoke", "token"),
    ] {
        let answer = browser.fill(&server, page, path, &[(field, "\0")]).await;
        assert!(matches!(answer.status, 400 | 404), "{path} {answer:?}");
    }
}
