use super::file::{read_session, render_session};
use super::*;
use crate::provider::descriptor::ParsedFile;
use everkey_session::{Capability, Claims, NetErrorKind, Session};
use serde_json::Value;
use zeroize::Zeroizing;

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        server: "http://127.0.0.1:1".into(),
        status,
        date: None,
        received: None,
        retry_after: None,
        location: None,
        proxy_status: None,
        content_type: Some("application/json".into()),
        body: Zeroizing::new(body.as_bytes().to_vec()),
    }
}

fn declined(kind: NetErrorKind) -> RefreshAnswer {
    RefreshAnswer::Declined(answer(0, "").error(kind))
}

const FILE: &str = r#"{
  "access_token": "a", "refresh_token": "r", "access_expires_at": 10, "refresh_expires_at": 20,
  "user": {"id": "u", "email": "e@x", "plan": "pro"}, "future": [1]
}"#;

const TOKENS: &str = r#"{"token_type":"Bearer","access_token":"a","access_expires_in":3600,
  "refresh_token":"r","refresh_expires_in":99.5}"#;

#[test]
fn the_contracts_file_is_read_and_unknown_fields_survive() {
    let session = read_session(FILE.as_bytes()).unwrap();
    assert_eq!((session.access_expires_at, session.refresh_expires_at), (Some(10), Some(20)));
    let again = Session { access: Secret::new("b"), ..session.clone() };
    let written = render_session(Some(FILE.as_bytes()), &again);
    let value: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(value["future"], json!([1]));
    assert_eq!(value["user"], json!({"id": "u", "email": "e@x", "plan": "pro"}));
    assert_eq!(read_session(&written), Some(again));
}

#[test]
fn files_of_another_shape_are_strange_and_broken_ones_damaged() {
    let parse = |text: &str| file::parse_session(text.as_bytes());
    assert_eq!(parse(r#"{"v":2,"sessions":{"a":1}}"#), ParsedFile::Strange);
    for broken in ["", "{}", "[1]", "{", r#"{"access_token":1}"#, r#"{"refresh_token":"r","user":{}}"#] {
        assert_eq!(parse(broken), ParsedFile::Damaged, "{broken}");
    }
}

#[test]
fn unknown_fields_survive_as_they_are_written() {
    let odd = r#"123456789012345678901234567890,"huge":1e999,"half":"\ud800","user2":{"id":1.10}"#;
    let old = FILE.replace("[1]", odd);
    let session = read_session(old.as_bytes()).unwrap();
    let written = render_session(Some(old.as_bytes()), &session);
    let text = String::from_utf8_lossy(&written);
    for kept in ["123456789012345678901234567890", "1e999", r#""\ud800""#, r#"{"id":1.10}"#] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    assert_eq!(read_session(&written), Some(session));
}

#[test]
fn a_file_may_lack_its_refresh_expiry_but_nothing_else() {
    let without = |field: &str| {
        let mut value: Value = serde_json::from_str(FILE).unwrap();
        value.as_object_mut().unwrap().remove(field);
        read_session(value.to_string().as_bytes())
    };
    assert_eq!(without("refresh_expires_at").unwrap().refresh_expires_at, Some(10));
    for field in ["access_token", "refresh_token", "access_expires_at", "user"] {
        assert!(without(field).is_none(), "{field}");
    }
    for odd in ["", "null", "[]", r#"["a","r",10,20,["u","e@x"]]"#, "{", r#"{"access_token":1}"#] {
        assert!(read_session(odd.as_bytes()).is_none(), "{odd}");
    }
    assert!(read_session(FILE.replace("\"a\"", "\"a\\nb\"").as_bytes()).is_none());
}

#[test]
fn n12_only_the_contracts_refusal_is_one() {
    let refused = |status, body| read_refresh(&answer(status, body)) == RefreshAnswer::Refused;
    assert!(refused(401, r#"{"code":"invalid_grant","message":"x"}"#));
    assert!(refused(401, r#"{"success":false,"code":"unauthorized","detail":"x"}"#));
    for status in [400, 401, 403, 404, 429, 500, 502, 503] {
        assert!(!refused(status, "<html>no</html>"), "{status}");
        assert!(!refused(status, r#"{"code":"weird"}"#), "{status}");
        assert!(!refused(status, ""), "{status}");
    }
    assert!(!refused(400, r#"{"code":"invalid_grant"}"#));
    assert!(!refused(401, r#"["invalid_grant"]"#));
    let mut html = answer(401, r#"{"code":"invalid_grant"}"#);
    html.content_type = Some("text/html".into());
    assert_ne!(read_refresh(&html), RefreshAnswer::Refused);
}

#[test]
fn n10_a_token_answer_cut_at_every_byte_stays_in_doubt() {
    assert!(matches!(read_refresh(&answer(200, TOKENS)), RefreshAnswer::Granted(_)));
    for cut in 0..TOKENS.len() - 1 {
        let read = read_refresh(&answer(200, &TOKENS[..cut]));
        assert!(matches!(read, RefreshAnswer::Unclear(_)), "cut at {cut}: {read:?}");
    }
}

#[test]
fn n20_an_end_that_nobody_knows_survives_the_file() {
    let known = read_session(FILE.as_bytes()).unwrap();
    let unknown = Session { access_expires_at: None, refresh_expires_at: None, ..known.clone() };
    let half = Session { access_expires_at: None, ..known };
    for session in [unknown, half] {
        let written = render_session(Some(FILE.as_bytes()), &session);
        assert_eq!(read_session(&written), Some(session));
        let value: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(value["access_expires_at"], 253_402_300_799_u64, "the tool must not refresh at each use");
    }
    let zero = FILE.replace("10", "0").replace("20", "0");
    let read = read_session(zero.as_bytes()).unwrap();
    assert_eq!((read.access_expires_at, read.refresh_expires_at), (None, None), "as everkey once wrote it");
}

#[test]
fn n20_odd_lifetimes_and_capabilities_are_read() {
    let grant = |text: String| match read_refresh(&answer(200, &text)) {
        RefreshAnswer::Granted(grant) => grant,
        other => panic!("{other:?}"),
    };
    let plain = grant(TOKENS.to_owned());
    assert_eq!((plain.access_expires_in, plain.refresh_expires_in), (Some(3600), Some(99)));
    assert_eq!((plain.capability, plain.claims), (Capability::None, Claims::default()));
    let odd = grant(TOKENS.replace("3600", "1e300").replace("99.5", "-7"));
    assert_eq!((odd.access_expires_in, odd.refresh_expires_in), (Some(i64::MAX), Some(-7)));
    for (until, capability) in
        [("used", Capability::Rr1), ("probe", Capability::Probe), ("x", Capability::None)]
    {
        let text = TOKENS.replace("99.5", &format!(r#"9,"refresh_retry":{{"v":1,"until":"{until}"}}"#));
        assert_eq!(grant(text).capability, capability);
    }
    let later = TOKENS.replace("99.5", r#"9,"refresh_retry":{"v":2,"until":{"used":true}}"#);
    assert_eq!(grant(later).capability, Capability::None);
}

#[test]
fn n15_retry_after_is_read_from_body_then_header_and_clamped() {
    let wait = |body: &str, header: Option<&str>| {
        let mut limited = answer(429, body);
        limited.retry_after = header.map(str::to_owned);
        retry_after(&limited)
    };
    let body = |n: &str| format!(r#"{{"code":"rate_limited","retry_after_secs":{n}}}"#);
    assert_eq!(wait(&body("7"), Some("9")), Some(7));
    assert_eq!(wait("{}", Some("9")), Some(9));
    assert_eq!(wait(&body("-3600"), None), Some(0));
    assert_eq!(wait(&body("1e20"), None), Some(86_400));
    assert_eq!(wait("{}", Some("1e20")), Some(86_400));
    assert_eq!(wait(&body("\"soon\""), Some("soon")), None);
}

#[test]
fn n15_retry_after_as_a_date_counts_from_the_servers_clock() {
    let wait = |header: &str, date: Option<u64>| {
        let mut limited = answer(429, "");
        (limited.retry_after, limited.date) = (Some(header.to_owned()), date);
        retry_after(&limited)
    };
    let (until, at) = ("Wed, 21 Oct 2026 07:28:00 GMT", 1_792_567_680);
    assert_eq!(wait(until, Some(at - 90)), Some(90));
    assert_eq!(wait(until, Some(at + 90)), Some(0));
    assert_eq!(wait(until, Some(0)), Some(86_400));
    assert_eq!(wait(until, None), None, "a date says nothing beside an unknown clock");
    assert_eq!(wait("Wed, 99 Oct 2026", Some(at)), None);
}

#[test]
fn n32_an_attempt_that_changed_nothing_is_told_from_doubt() {
    let read = |status, body| read_refresh(&answer(status, body));
    assert_eq!(
        read(503, r#"{"code":"unavailable","attempt_consumed":false}"#),
        declined(NetErrorKind::Status(503, Some("unavailable".to_owned())))
    );
    assert_eq!(read(409, r#"{"code":"deadline_passed","attempt_consumed":false}"#), RefreshAnswer::Late);
    assert_eq!(read(409, r#"{"code":"rotation_in_progress"}"#), RefreshAnswer::Rotating);
    assert!(matches!(read(503, r#"{"code":"unavailable"}"#), RefreshAnswer::Unclear(_)));
    assert!(matches!(read(503, r#"{"code":"x","attempt_consumed":true}"#), RefreshAnswer::Unclear(_)));
}

#[test]
fn n34_a_status_that_means_not_processed_is_no_doubt() {
    for body in ["", "<html>no</html>", r#"{"code":"rate_limited"}"#, r#"{"code":"weird"}"#] {
        assert_eq!(read_refresh(&answer(429, body)), declined(NetErrorKind::Limited(30)), "{body}");
        for status in [421, 425] {
            let read = read_refresh(&answer(status, body));
            assert!(matches!(read, RefreshAnswer::Declined(_)), "{status} {body}: {read:?}");
        }
    }
}

#[test]
fn n25_a_redirect_is_no_answer() {
    let read = read_refresh(&answer(307, ""));
    assert!(matches!(read, RefreshAnswer::Unclear(t) if t.kind == NetErrorKind::Redirect));
}

#[test]
fn a_reminder_is_told_with_the_access_token() {
    let set = remind(&Secret::new("t"), Some(1_735_689_600));
    assert_eq!(set.sent_body(), r#"{"at":1735689600}"#);
    assert_eq!(set.sent_header("authorization").as_deref(), Some("Bearer t"));
    let clear = remind(&Secret::new("t"), None);
    assert_eq!(
        (clear.sent_body(), clear.sent_header("authorization")),
        ("", set.sent_header("authorization"))
    );
}

#[test]
fn only_answers_of_the_contract_settle_a_reminder() {
    let read = |status, body| read_reminded(&answer(status, body));
    for (status, body) in [(204, ""), (200, ""), (200, r#"{"reminder":{}}"#), (201, "{}")] {
        assert_eq!(read(status, body), ReminderAnswer::Accepted, "{status} {body}");
    }
    let error = r#"{"code":"weird","message":"x"}"#;
    for status in [400, 404, 422] {
        assert_eq!(read(status, error), ReminderAnswer::Refused, "{status}");
    }
    assert_eq!(read(401, r#"{"success":false,"code":"unauthorized"}"#), ReminderAnswer::Unauthorized);
    assert_eq!(read(429, r#"{"code":"rate_limited","retry_after_secs":7}"#), ReminderAnswer::Limited(7));
    assert_eq!(read(429, "<html>"), ReminderAnswer::Limited(30));
    for status in [200, 302, 400, 401, 403, 404, 500, 503] {
        let read = read(status, "<html>no</html>");
        assert!(matches!(read, ReminderAnswer::Net(_)), "{status}: {read:?}");
    }
    assert!(matches!(read(500, error), ReminderAnswer::Net(_)));
    assert!(matches!(read(403, error), ReminderAnswer::Net(_)));
}

#[test]
fn the_id_of_a_request_is_read_and_sent() {
    let call = LoginCall::RequestCode { email: "e@x".to_owned() };
    let id = |body: &str| match read_login(&call, &answer(200, body)) {
        LoginAnswer::CodeSent { request_id, .. } => request_id.map(|id| id.expose().to_owned()),
        read => panic!("{body}: {read:?}"),
    };
    assert_eq!(id(r#"{"status":"code_sent","request_id":"abc"}"#).as_deref(), Some("abc"));
    let long = format!(r#"{{"request_id":"{}"}}"#, "x".repeat(257));
    for odd in ["{}", r#"{"request_id":null}"#, r#"{"request_id":7}"#, r#"{"request_id":""}"#, &long] {
        assert_eq!(id(odd), None, "{odd}");
    }
    let verify = |request_id: Option<&str>| {
        let call = LoginCall::VerifyCode {
            email: "e@x".to_owned(),
            code: Secret::new("123456"),
            request_id: request_id.map(Secret::new),
            second_factor: None,
        };
        login(&call).unwrap().sent_body().to_owned()
    };
    assert!(verify(Some("abc")).contains(r#""request_id":"abc""#));
    assert!(!verify(None).contains("request_id"), "the contract's own server knows no such field");
}

#[test]
fn a_second_factor_is_sent_with_the_code() {
    let call = |second_factor: Option<&str>| LoginCall::VerifyCode {
        email: "e@x".to_owned(),
        code: Secret::new("123456"),
        request_id: None,
        second_factor: second_factor.map(Secret::new),
    };
    let sent = |call| login(&call).unwrap().sent_body().to_owned();
    assert!(!sent(call(None)).contains("second_factor"));
    assert!(sent(call(Some("654321"))).contains(r#""second_factor":"654321""#));
    let read = |status, code: &str| {
        read_login(&call(None), &answer(status, &format!(r#"{{"code":"{code}","message":"m"}}"#)))
    };
    assert_eq!(read(403, "second_factor_required"), LoginAnswer::SecondFactorAsked);
    assert_eq!(read(403, "second_factor_rejected"), LoginAnswer::Rejected(Rejected::SecondFactor));
    let other = Rejected::Answered(403, "forbidden".to_owned());
    assert_eq!(read(403, "forbidden"), LoginAnswer::Rejected(other));
}
