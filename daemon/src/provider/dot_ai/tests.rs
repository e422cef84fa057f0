use super::file::{parse_session, render_session, render_signed_out};
use super::*;
use crate::provider::descriptor::ParsedFile;
use crate::provider::samples::answer;
use everkey_proto::Secret;
use everkey_session::{Rejected, Session};

const FILE: &str = r#"{
  "auth_token": "static",
  "access_token": "a",
  "token_type": "Bearer",
  "expires_at": "2026-03-08T12:00:00Z",
  "client_id": "c",
  "client_secret": "s"
}"#;

fn session(text: &str) -> Session {
    match parse_session(text.as_bytes()) {
        ParsedFile::Session(session) => session,
        other => panic!("{text}: {other:?}"),
    }
}

fn endpoints() -> Endpoints {
    Endpoints {
        issuer: "http://127.0.0.1:1".into(),
        token: "http://127.0.0.1:1/token".into(),
        registration: Some("http://127.0.0.1:1/register".into()),
        ..Endpoints::default()
    }
}

fn exchange_of(secret: Option<&str>) -> LoginCall {
    LoginCall::Exchange {
        registration: Registration {
            client_id: "c".into(),
            client_secret: secret.map(Secret::new),
            auth: AuthMethod::None,
            endpoints: endpoints(),
            ..Registration::default()
        },
        code: Secret::new("code"),
        verifier: Secret::new("verifier"),
        redirect: "http://127.0.0.1:9/callback".into(),
        nonce: None,
        lifetime_secs: Some(60),
    }
}

#[test]
fn the_originals_file_is_written_again_byte_for_byte() {
    let read = session(FILE);
    assert_eq!(read.access_expires_at, Some(1_772_971_200));
    assert_eq!(read.holder.fixed, Some(Secret::new("static")));
    assert!(!read.is_only_fixed());
    assert_eq!(String::from_utf8_lossy(&render_session(Some(FILE.as_bytes()), &read)), FILE);
    assert_eq!(String::from_utf8_lossy(&render_session(None, &read)), FILE);
}

#[test]
fn a_static_token_alone_is_a_session_that_never_changes() {
    let read = session(r#"{"auth_token":"static","access_token":""}"#);
    assert!(read.is_only_fixed());
    assert_eq!(read.access_expires_at, None);
    let text = String::from_utf8_lossy(&render_session(None, &read)).into_owned();
    assert!(!text.contains("access_token"), "{text}");
    let twice = session(&FILE.replace(r#""a""#, r#""static""#));
    assert_eq!((twice.access_expires_at, &twice.holder.registration), (None, &None));
    assert_eq!(session(&String::from_utf8_lossy(&render_session(None, &twice))), twice);
    for nobody in ["{}", r#"{"auth_token":"","client_id":"c"}"#, r#"{"access_token":null}"#] {
        assert_eq!(parse_session(nobody.as_bytes()), ParsedFile::Nobody, "{nobody}");
    }
}

#[test]
fn other_json_is_strange_and_non_json_is_damaged() {
    for strange in [
        "[]",
        r#"{"auth_token":1}"#,
        r#"{"access_token":"a\nb"}"#,
        r#"{"auth_token":"a b"}"#,
        r#"{"access_token":"a","expires_at":"soon"}"#,
        r#"{"access_token":"a","expires_at":1772971200}"#,
    ] {
        assert_eq!(parse_session(strange.as_bytes()), ParsedFile::Strange, "{strange}");
    }
    for damaged in ["", "{", "auth_token=x"] {
        assert_eq!(parse_session(damaged.as_bytes()), ParsedFile::Damaged, "{damaged}");
    }
}

#[test]
fn static_tokens_and_unknown_fields_survive_sign_in_and_out() {
    let old = r#"{"z":1e999,"half":"\ud800","auth_token":"st\u0061tic","access_token":"old","client_secret":"old"}"#;
    let mut next = Session { access: Secret::new("new"), ..session(old) };
    next.holder.registration = None;
    let written = render_session(Some(old.as_bytes()), &next);
    let out = render_signed_out(&written).unwrap();
    for text in [String::from_utf8_lossy(&written), String::from_utf8_lossy(&out)] {
        for kept in [r#""z": 1e999"#, r#""half": "\ud800""#, r#""auth_token": "st\u0061tic""#] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        assert!(!text.contains("old"), "{text}");
    }
    assert!(session(&String::from_utf8_lossy(&out)).is_only_fixed());
    for gone in ["access_token", "token_type", "expires_at", "client_id", "client_secret"] {
        assert!(!String::from_utf8_lossy(&out).contains(gone), "{gone}");
    }
    let others = FILE.replace(r#""auth_token": "static","#, "");
    assert_eq!(render_signed_out(others.as_bytes()), None);
    assert!(render_signed_out(br#"{"access_token":"a","theme":"dark"}"#).is_some());
}

#[test]
fn a_client_is_registered_for_its_loopback_address() {
    let call = LoginCall::Register {
        endpoints: endpoints(),
        redirect: Some("http://127.0.0.1:9/callback".into()),
        scope: None,
    };
    let shown = format!("{:?}", login(&call));
    assert!(shown.contains("http://127.0.0.1:1/register"), "{shown}");
    let read = |status, body: &str| read_login(&call, &answer(status, body));
    let LoginAnswer::Registered(known) = read(201, r#"{"client_id":"c","client_secret_expires_at":0}"#)
    else {
        panic!("registered")
    };
    assert_eq!((known.auth, known.endpoints), (AuthMethod::None, endpoints()));
    let LoginAnswer::Registered(known) = read(201, r#"{"client_id":"c","client_secret":"s"}"#) else {
        panic!("registered")
    };
    assert_eq!(known.auth, AuthMethod::ClientSecretPost);
    for (status, body) in
        [(201, "{}"), (201, r#"{"client_id":""}"#), (201, "<html>"), (302, ""), (404, ""), (500, "")]
    {
        assert!(matches!(read(status, body), LoginAnswer::Net(_)), "{status} {body}");
    }
    let refused = read(400, r#"{"error":"invalid_redirect_uri"}"#);
    assert_eq!(refused, LoginAnswer::Rejected(Rejected::Registration("invalid_redirect_uri".into())));
    assert_eq!(read(429, ""), LoginAnswer::Limited(30));
}

#[test]
fn tokens_are_read_and_a_refresh_token_is_left_aside() {
    let call = exchange_of(None);
    assert!(login(&call).is_some());
    let read = |status, body: &str| read_login(&call, &answer(status, body));
    let tokens = r#"{"access_token":"a","token_type":"bearer","expires_in":2592000,"refresh_token":"r"}"#;
    let LoginAnswer::Granted(grant) = read(200, tokens) else { panic!("granted") };
    assert_eq!((grant.access_expires_in, grant.refresh), (Some(LIFETIME_SECS.cast_signed()), None));
    for (from, to) in [("bearer", "mac"), ("\"a\"", "\"a\\nb\""), ("\"a\"", "\"\"")] {
        assert!(matches!(read(200, &tokens.replace(from, to)), LoginAnswer::Net(_)), "{to}");
    }
    for (status, body) in [(201, tokens), (302, ""), (400, "<html>"), (500, "{}"), (200, "<html>")] {
        assert!(matches!(read(status, body), LoginAnswer::Net(_)), "{status} {body}");
    }
    for cut in 0..tokens.len() {
        assert!(matches!(read(200, &tokens[..cut]), LoginAnswer::Net(_)), "cut at {cut}");
    }
    let refused = read(400, r#"{"error":"invalid_grant"}"#);
    assert_eq!(refused, LoginAnswer::Rejected(Rejected::Other("invalid_grant".into())));
}

#[test]
fn the_exchange_asks_for_the_lifetime_and_shows_no_secret() {
    let shown = format!("{:?}", login(&exchange_of(Some("hunter2"))));
    assert!(shown.contains("http://127.0.0.1:1/token") && !shown.contains("hunter2"), "{shown}");
}
