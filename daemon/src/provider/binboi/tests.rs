use super::file::{parse_session, render_session, render_signed_out};
use super::*;
use crate::provider::descriptor::ParsedFile;
use crate::provider::samples::answer;
use everkey_session::{NetError, Session};

const FILE: &str = r#"{
  "token": "binboi_pat_0123abcd_x",
  "server_addr": "tunnel.example:443",
  "api_url": "https://api.example"
}"#;

const ME: &str = r#"{"user":{"id":"u","name":"Ada","email":"e@x","plan":"FREE"},"token_prefix":"binboi_pat_0123abcd",
  "auth_mode":"personal-access-token"}"#;

fn session(text: &str) -> Session {
    match parse_session(text.as_bytes()) {
        ParsedFile::Session(session) => session,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_originals_file_is_written_again_byte_for_byte() {
    let read = session(FILE);
    assert_eq!(read.holder.server.as_deref(), Some("https://api.example"));
    assert_eq!((read.access_expires_at, read.refresh.clone()), (None, None));
    assert_eq!(String::from_utf8_lossy(&render_session(Some(FILE.as_bytes()), &read)), FILE);
}

#[test]
fn unknown_fields_survive_sign_in_and_sign_out_unchanged() {
    let odd =
        r#""api_url": "https://api.example", "half":"\ud800","huge":1e999,"list":[1, 2],"nothing":null"#;
    let old = FILE
        .replace(r#""api_url": "https://api.example""#, odd)
        .replace("\"tunnel.example:443\"", "{\"a\":1.10}");
    let next = Session { access: Secret::new("t2"), ..session(&old) };
    let written = render_session(Some(old.as_bytes()), &next);
    let out = render_signed_out(&written).unwrap();
    for text in [String::from_utf8_lossy(&written), String::from_utf8_lossy(&out)] {
        for kept in [
            r#""half": "\ud800""#,
            r#""huge": 1e999"#,
            r#""list": [1, 2]"#,
            r#""nothing": null"#,
            r#""server_addr": {"a":1.10}"#,
        ] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        assert!(text.contains(r#""api_url": "https://api.example""#) && !text.contains("pat"), "{text}");
    }
    assert_eq!(session(&String::from_utf8_lossy(&written)), next);
    assert_eq!(parse_session(&out), ParsedFile::Nobody);
}

#[test]
fn the_address_that_was_checked_is_kept() {
    let mut next = session(FILE);
    next.holder.server = Some("http://127.0.0.1:8".into());
    let written = render_session(Some(FILE.as_bytes()), &next);
    assert_eq!(
        session(&String::from_utf8_lossy(&written)).holder.server.as_deref(),
        Some("http://127.0.0.1:8")
    );
    let fresh = render_session(None, &next);
    assert_eq!(session(&String::from_utf8_lossy(&fresh)), next);
}

#[test]
fn nobody_strange_and_damaged_are_told_apart() {
    for nobody in ["{}", r#"{"token":""}"#, r#"{"token":null,"api_url":"x"}"#, r#"{"server_addr":1}"#] {
        assert_eq!(parse_session(nobody.as_bytes()), ParsedFile::Nobody, "{nobody}");
    }
    for strange in ["[]", "1", r#"{"token":{"v":2}}"#, r#"{"token":"a\nb"}"#, r#"{"token":"t","api_url":7}"#]
    {
        assert_eq!(parse_session(strange.as_bytes()), ParsedFile::Strange, "{strange}");
    }
    for unsafe_to in ["http://api.example", "ftp://x", "api.example"] {
        let file = FILE.replace("https://api.example", unsafe_to);
        assert_eq!(parse_session(file.as_bytes()), ParsedFile::Strange, "{unsafe_to}");
    }
    for damaged in ["", "{", "token: x"] {
        assert_eq!(parse_session(damaged.as_bytes()), ParsedFile::Damaged, "{damaged}");
    }
    assert_eq!(session(r#"{"token":"t","api_url":""}"#).holder.server, None);
}

#[test]
fn sign_out_removes_tokens_and_files_that_hold_no_settings() {
    let out = render_signed_out(br#"{"token":"t"}"#).unwrap();
    assert_eq!(parse_session(&out), ParsedFile::Nobody);
    let odd = render_signed_out(b"{\"token\":\"t\",\"x\":\"\xff\"}").unwrap();
    assert_eq!(parse_session(&odd), ParsedFile::Nobody, "a setting that is not UTF-8 takes no file away");
    for other in ["", "[\"t\"]", "t"] {
        assert_eq!(render_signed_out(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn whose_a_token_is_comes_with_name_plan_and_prefix() {
    let Identity::Accepted { user, about } = read_identity(&answer(200, ME)) else { panic!("accepted") };
    assert_eq!(user, Some(User { id: "u".into(), email: "e@x".into() }));
    let about: Vec<_> = about.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(about, [("name", "Ada"), ("plan", "FREE"), ("prefix", "binboi_pat_0123abcd")]);
    let call = LoginCall::Identify { registration: None, access: Secret::new("t") };
    let nameless = answer(200, &ME.replace("Ada", ""));
    let LoginAnswer::Identified(Identity::Accepted { about, .. }) = read_login(&call, &nameless) else {
        panic!("accepted")
    };
    assert_eq!(about.get("name"), None);
}

#[test]
fn every_401_refuses_and_nothing_else_does() {
    for body in ["", "<html>", r#"{"error":"x"}"#, r#"{"error":"The database is down."}"#] {
        assert_eq!(read_identity(&answer(401, body)), Identity::Refused, "{body}");
    }
    for (status, body) in
        [(200, "{}"), (200, "<html>"), (200, r#"["u"]"#), (302, ""), (403, ""), (404, ""), (500, "")]
    {
        assert!(
            matches!(read_identity(&answer(status, body)), Identity::Net(NetError { .. })),
            "{status} {body}"
        );
    }
    let mut limited = answer(429, r#"{"error":{"code":"RATE_LIMITED","message":"x"},"meta":{}}"#);
    limited.retry_after = Some("7".into());
    assert_eq!(read_identity(&limited), Identity::Limited(7));
}
