use super::file::{parse_session, render_session};
use super::*;
use crate::provider::descriptor::ParsedFile;
use crate::provider::samples::answer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::reply::User;
use everkey_session::NetErrorKind;
use everkey_session::{Capability, Rejected, Session, TokenResponse};

/// As the original writes it.
const FILE: &str = r#"{
  "access_token": "a",
  "refresh_token": "r",
  "expires_at": "2026-03-08T12:00:00.000Z",
  "user_id": "user_1",
  "org_id": "org_default",
  "role": "admin",
  "email": "e@x",
  "display_name": "John Doe",
  "issued_at": "2026-03-08T11:00:00.000Z"
}"#;

const CODES: &str = r#"{"success":true,"data":{"device_code":"dc","user_code":"ABCD-2345",
  "verification_url":"https://a.example/cli/verify","expires_at":"1970-01-01T00:10:10.500Z","poll_interval":2}}"#;

const TOKENS: &str = r#"{"success":true,"data":{"access_token":"a","refresh_token":"r","expires_at":
  "1970-01-01T01:00:10.000Z","user_id":"u","org_id":"o","role":"admin","email":"e@x","display_name":"John"}}"#;

fn session(text: &str) -> Session {
    match parse_session(text.as_bytes()) {
        ParsedFile::Session(session) => session,
        other => panic!("{text}: {other:?}"),
    }
}

fn poll(status: u16, body: &str) -> LoginAnswer {
    let call = LoginCall::PollDevice { registration: None, device_code: Secret::new("dc") };
    read_login(&call, &answer(status, body))
}

fn start(status: u16, body: &str, date: Option<u64>) -> LoginAnswer {
    let mut answer = answer(status, body);
    answer.date = date;
    read_login(&LoginCall::StartDevice { registration: None, scope: None }, &answer)
}

fn granted(text: &str, date: Option<u64>) -> TokenResponse {
    let mut answer = answer(200, text);
    answer.date = date;
    match read_refresh(&answer) {
        RefreshAnswer::Granted(grant) => grant,
        other => panic!("{text}: {other:?}"),
    }
}

fn failed(error: &str) -> String {
    json!({ "success": false, "error": error }).to_string()
}

#[test]
fn the_originals_file_is_written_again_byte_for_byte() {
    let read = session(FILE);
    assert_eq!((read.access_expires_at, read.issued_at), (Some(1_772_971_200), Some(1_772_967_600)));
    assert_eq!(read.holder.user, Some(User { id: "user_1".into(), email: "e@x".into() }));
    assert_eq!(read.holder.about["role"], "admin");
    assert_eq!(String::from_utf8_lossy(&render_session(None, &read)), FILE);
    assert_eq!(String::from_utf8_lossy(&render_session(Some(FILE.as_bytes()), &read)), FILE);
}

#[test]
fn unknown_fields_stay_as_written_and_the_successor_is_kept() {
    let odd =
        r#""issued_at": "2026-03-08T11:00:00.000Z", "half":"\ud800","huge":1e999,"n":123456789012345678901"#;
    let old = FILE.replace(r#""issued_at": "2026-03-08T11:00:00.000Z""#, odd);
    let next = Session { refresh: Some(Secret::new("r2")), ..session(&old) };
    let written = render_session(Some(old.as_bytes()), &next);
    let text = String::from_utf8_lossy(&written);
    for kept in [r#""half": "\ud800""#, r#""huge": 1e999"#, r#""n": 123456789012345678901"#] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    assert!(!text.contains(r#""r""#) && !text.ends_with('\n'), "{text}");
    assert_eq!(session(&text), next);
}

#[test]
fn what_is_optional_may_be_missing_or_null() {
    let bare = session(r#"{"access_token":"a","refresh_token":"r","expires_at":"2026-03-08T12:00:00Z"}"#);
    assert_eq!((bare.holder.user.clone(), bare.issued_at), (None, None));
    let text = String::from_utf8_lossy(&render_session(None, &bare)).into_owned();
    assert!(!text.contains("null") && !text.contains("email"), "{text}");
    let read = session(&FILE.replace(r#""admin""#, "null").replace(r#""e@x""#, "null"));
    assert_eq!(read.holder.user.map(|user| user.email), Some(String::new()));
    assert_eq!(read.holder.about.get("role"), None);
    assert_eq!(session(r#"{"access_token":"a","refresh_token":""}"#).refresh, None);
    let never = format!("h.{}.s", URL_SAFE_NO_PAD.encode(r#"{"exp":1000000000000000}"#));
    let read = session(&format!(r#"{{"access_token":"{never}"}}"#));
    assert_eq!(session(&String::from_utf8_lossy(&render_session(None, &read))), read, "an end beyond time");
}

#[test]
fn other_json_is_strange_and_non_json_is_damaged() {
    for strange in ["{}", "[]", "null", r#"{"access_token":1}"#, r#"{"accessToken":"a"}"#] {
        assert_eq!(parse_session(strange.as_bytes()), ParsedFile::Strange, "{strange}");
    }
    let newer = FILE.replace("2026-03-08T12:00:00.000Z", "soon");
    assert_eq!(parse_session(newer.as_bytes()), ParsedFile::Strange);
    for token in [r#""a\nb""#, r#""""#, r#""a b""#] {
        assert_eq!(parse_session(FILE.replace(r#""a""#, token).as_bytes()), ParsedFile::Strange, "{token}");
    }
    for damaged in ["", "{", "\0\0", &FILE[..40]] {
        assert_eq!(parse_session(damaged.as_bytes()), ParsedFile::Damaged, "{damaged}");
    }
}

#[test]
fn a_code_is_shown_where_the_server_says() {
    let LoginAnswer::DeviceStarted { user_code, url, complete_url, expires_in, interval, .. } =
        start(200, CODES, Some(10))
    else {
        panic!("the contract's answer")
    };
    assert_eq!((user_code.as_str(), expires_in, interval), ("ABCD-2345", 600, 2));
    assert_eq!((url.as_str(), complete_url), ("https://a.example/cli/verify", None));
    let shown = |to: &str| match start(200, &CODES.replace("https://a.example/cli/verify", to), None) {
        LoginAnswer::DeviceStarted { complete_url, expires_in: 600, .. } => Some(complete_url),
        LoginAnswer::Net(_) => None,
        other => panic!("{other:?}"),
    };
    let complete = "http://localhost:5173/cli-auth?code=ABCD-2345";
    assert_eq!(shown(complete), Some(Some(complete.to_owned())), "the original's");
    assert_eq!(shown("https://a/x?a=1&code="), Some(Some("https://a/x?a=1&code=ABCD-2345".to_owned())));
    assert_eq!(shown("https://a/x?code=OTHER"), Some(None));
    for hostile in
        ["http://a.example/x", "javascript:alert(1)", "file:///etc/passwd", "https://u:p@a/", "x", ""]
    {
        assert_eq!(shown(hostile), None, "{hostile}");
    }
    for (from, to) in
        [("ABCD-2345", "AB\\u001b[2J"), ("ABCD-2345", ""), ("\"dc\"", "\"d\\nc\""), ("true", "false")]
    {
        let read = start(200, &CODES.replace(from, to), None);
        assert!(matches!(read, LoginAnswer::Net(_)), "{to}: {read:?}");
    }
    assert_eq!(start(429, &failed("slow"), None), LoginAnswer::Limited(30));
}

#[test]
fn polls_are_read_with_their_bodies() {
    assert_eq!(poll(202, &failed("authorization_pending")), LoginAnswer::Pending);
    assert_eq!(poll(410, &failed("Device code expired")), LoginAnswer::Rejected(Rejected::Expired));
    assert_eq!(poll(410, &failed("access_denied")), LoginAnswer::Rejected(Rejected::Denied));
    assert!(matches!(poll(404, &failed("unknown")), LoginAnswer::Rejected(Rejected::Other(_))));
    for (status, body) in
        [(202, "<html>"), (202, "{}"), (302, ""), (404, "<html>"), (500, "{}"), (200, CODES)]
    {
        assert!(matches!(poll(status, body), LoginAnswer::Net(_)), "{status} {body}");
    }
    let LoginAnswer::Granted(grant) = poll(200, TOKENS) else { panic!("the contract's tokens") };
    assert_eq!(grant.user, Some(User { id: "u".into(), email: "e@x".into() }));
    let about: Vec<_> = grant.about.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(about, [("name", "John"), ("org", "o"), ("role", "admin")]);
    let unsaid = TOKENS.replace(r#""admin","email":"e@x","display_name":"John""#, "null");
    let LoginAnswer::Granted(grant) = poll(200, &unsaid) else { panic!("the original leaves these out") };
    assert_eq!(grant.user, Some(User { id: "u".into(), email: String::new() }));
    assert!(matches!(poll(200, &TOKENS.replace("user_id", "id")), LoginAnswer::Net(_)));
}

#[test]
fn lifetimes_are_told_by_the_servers_own_clock() {
    assert_eq!(granted(TOKENS, Some(10)).access_expires_in, Some(3600));
    let past = "it ends before it was issued, so it is as if the server had not said";
    assert_eq!(granted(TOKENS, Some(7210)).access_expires_in, Some(3600), "{past}");
    let jwt = format!("h.{}.s", URL_SAFE_NO_PAD.encode(r#"{"sub":"u","iat":100,"exp":400}"#));
    assert_eq!(granted(&TOKENS.replace(r#""a""#, &format!("{jwt:?}")), None).access_expires_in, Some(300));
    let itself = granted(&TOKENS.replace(r#""a""#, &format!("{jwt:?}")), Some(7210)).access_expires_in;
    assert_eq!(itself, Some(300), "what the token says of itself is better");
    assert_eq!(granted(TOKENS, None).access_expires_in, Some(3600));
}

#[test]
fn n12_only_the_contracts_refusal_is_one() {
    let refused = |status, body: &str| read_refresh(&answer(status, body)) == RefreshAnswer::Refused;
    assert!(refused(401, &failed("Invalid or expired refresh token")));
    for status in [200, 302, 400, 403, 404, 410, 429, 500, 502, 503] {
        assert!(!refused(status, &failed("Invalid or expired refresh token")), "{status}");
    }
    for body in ["", "<html>", "{}", r#"["x"]"#, r#"{"success":true,"error":"x"}"#, r#"{"error":"x"}"#] {
        assert!(!refused(401, body), "{body}");
    }
    let mut html = answer(401, &failed("x"));
    html.content_type = Some("text/html".into());
    assert_ne!(read_refresh(&html), RefreshAnswer::Refused);
}

#[test]
fn n10_a_token_answer_cut_at_every_byte_stays_in_doubt() {
    for cut in 0..TOKENS.len() {
        let read = read_refresh(&answer(200, &TOKENS[..cut]));
        assert!(matches!(read, RefreshAnswer::Unclear(_)), "cut at {cut}: {read:?}");
    }
    for bad in [r#""a\nb""#, r#""""#, "1", "null"] {
        let read = read_refresh(&answer(200, &TOKENS.replace(r#""a""#, bad)));
        assert!(matches!(read, RefreshAnswer::Unclear(_)), "{bad}: {read:?}");
    }
}

#[test]
fn n32_promises_and_attempts_that_changed_nothing_are_read() {
    let promise = |until: &str| {
        let retry = format!(r#""user_id":"u","refresh_retry":{{"v":1,"until":"{until}"}}"#);
        granted(&TOKENS.replace(r#""user_id":"u""#, &retry), None).capability
    };
    assert_eq!((promise("used"), promise("probe")), (Capability::Rr1, Capability::Probe));
    assert_eq!(granted(TOKENS, None).capability, Capability::None);
    let read = |status, code: &str| {
        let body = json!({ "success": false, "error": "x", "code": code, "attempt_consumed": false });
        read_refresh(&answer(status, &body.to_string()))
    };
    assert_eq!(read(409, "rotation_in_progress"), RefreshAnswer::Rotating);
    assert_eq!(read(409, "deadline_passed"), RefreshAnswer::Late);
    assert_eq!(read(503, "unavailable"), declined(NetErrorKind::Status(503, Some("x".to_owned()))));
    assert!(matches!(read_refresh(&answer(503, &failed("x"))), RefreshAnswer::Unclear(_)));
}

#[test]
fn n34_a_status_that_means_not_processed_is_no_doubt() {
    for body in ["", "<html>", &failed("Too many")] {
        assert_eq!(read_refresh(&answer(429, body)), declined(NetErrorKind::Limited(30)), "{body}");
        for status in [421, 425] {
            let read = read_refresh(&answer(status, body));
            assert!(matches!(read, RefreshAnswer::Declined(_)), "{status} {body}: {read:?}");
        }
    }
}

fn declined(kind: NetErrorKind) -> RefreshAnswer {
    RefreshAnswer::Declined(answer(0, "").error(kind))
}

#[test]
fn a_redirect_to_the_front_page_means_a_refused_token() {
    let sent = |to: &str| {
        let mut answer = answer(302, "");
        answer.location = Some(to.into());
        read_identity(&answer)
    };
    assert_eq!((sent("/"), sent("http://127.0.0.1:1/")), (Identity::Refused, Identity::Refused));
    for elsewhere in ["/login", "https://evil/", "http://127.0.0.1:1", ""] {
        assert!(matches!(sent(elsewhere), Identity::Net(_)), "{elsewhere}");
    }
    assert_eq!(read_identity(&answer(404, "<html>")), Identity::Untold);
    assert!(matches!(read_identity(&answer(401, "<html>")), Identity::Net(_)));
    let me = r#"{"success":true,"data":{"user_id":"u","org_id":"o","role":"analyst","email":"e@x"}}"#;
    let Identity::Accepted { user, about } = read_identity(&answer(200, me)) else { panic!("accepted") };
    assert_eq!((user.map(|user| user.id), about.len()), (Some("u".into()), 2));
}
