use super::file::{parse_session, render_session};
use super::*;
use crate::provider::descriptor::ParsedFile;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::SignInMethod;
use everkey_proto::reply::User;
use everkey_session::{
    AnswerFlaw, AuthMethod, Capability, Claims, Holder, NetError, NetErrorKind, RefreshAnswer, Registration,
    Rejected, Session, WellKnown,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

mod files;
mod registration;
mod revocation;
mod sign_in;

const ISSUER: &str = "https://id.example/realm";

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        server: ISSUER.into(),
        status,
        date: Some(1000),
        received: None,
        retry_after: None,
        location: None,
        proxy_status: None,
        content_type: Some("application/json".into()),
        body: Zeroizing::new(body.as_bytes().to_vec()),
    }
}

fn error_of(kind: NetErrorKind) -> NetError {
    NetError { server: ISSUER.into(), kind }
}

fn html(status: u16) -> HttpResponse {
    HttpResponse {
        content_type: Some("text/html".into()),
        ..answer(status, "<html>{\"error\":\"invalid_grant\"}</html>")
    }
}

fn endpoints() -> Endpoints {
    let at = |path: &str| Some(format!("{ISSUER}{path}"));
    Endpoints {
        issuer: ISSUER.into(),
        token: format!("{ISSUER}/token"),
        authorization: at("/authorize"),
        device_authorization: at("/device"),
        registration: at("/register"),
        revocation: at("/revoke"),
        userinfo: at("/userinfo"),
        ..Endpoints::default()
    }
}

fn known(auth: AuthMethod) -> Registration {
    let client_secret = (auth != AuthMethod::None).then(|| Secret::new("c:s"));
    Registration {
        client_id: "me".into(),
        client_secret,
        auth,
        endpoints: endpoints(),
        ..Registration::default()
    }
}

fn here(auth: AuthMethod) -> CallTarget {
    CallTarget { server: ISSUER.into(), registration: Some(known(auth)) }
}

fn read_refresh(answer: &HttpResponse) -> RefreshAnswer {
    tokens::read_refresh(Some(&known(AuthMethod::None)), answer)
}

const TOKENS: &str = r#"{"token_type":"bEaReR","access_token":"a","expires_in":3600,"refresh_token":"r"}"#;

fn granted(body: &str) -> everkey_session::TokenResponse {
    match read_refresh(&answer(200, body)) {
        RefreshAnswer::Granted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refresh_authenticates_its_client_as_the_server_expects() {
    let shown = |auth| {
        let call = refresh(&here(auth), &Secret::new("r+1")).unwrap();
        (call.sent_body().to_owned(), call.sent_header("authorization"))
    };
    let plain = "grant_type=refresh_token&refresh_token=r%2B1";
    assert_eq!(shown(AuthMethod::None), (format!("{plain}&client_id=me"), None));
    // RFC 6749 section 2.3.1: encoded first, so that the colon stays one; and never both ways at once.
    let basic = Some("Basic bWU6YyUzQXM=".to_owned());
    assert_eq!(shown(AuthMethod::ClientSecretBasic), (plain.to_owned(), basic));
    let post = format!("{plain}&client_id=me&client_secret=c%3As");
    assert_eq!(shown(AuthMethod::ClientSecretPost), (post, None));
}

#[test]
fn without_a_registration_no_token_is_sent_anywhere() {
    let nowhere = CallTarget { server: ISSUER.into(), registration: None };
    assert!(token_endpoint(&nowhere).is_none());
    assert!(refresh(&nowhere, &Secret::new("r")).is_none());
    assert!(probe(&nowhere, &Secret::new("a")).is_none());
    assert!(identify(&nowhere, &Secret::new("a")).is_none());
}

#[test]
fn n12_only_a_refusal_of_the_token_ends_a_session() {
    for error in ["invalid_grant", "bad_refresh_token", "refresh_token_reused", "refresh_token_already_used"]
    {
        let bodies = [
            format!(r#"{{"error":"{error}","error_description":"x"}}"#),
            format!(r#"{{"error":{{"code":"{error}","message":"x"}}}}"#),
            format!(r#"{{"error_code":"{error}","msg":"x"}}"#),
        ];
        for body in bodies {
            for status in [200, 400, 401, 403] {
                assert_eq!(read_refresh(&answer(status, &body)), RefreshAnswer::Refused, "{status} {body}");
            }
            for status in [404, 500, 502, 503] {
                let read = read_refresh(&answer(status, &body));
                assert!(matches!(read, RefreshAnswer::Unclear(_)), "{status} {body}: {read:?}");
            }
        }
    }
    for body in [r#"{"error":"server_error"}"#, r#"["invalid_grant"]"#, r#"{"error":"invalid_gr"#, ""] {
        assert!(matches!(read_refresh(&answer(400, body)), RefreshAnswer::Unclear(_)), "{body}");
    }
    for status in [200, 400, 401, 403, 500, 503] {
        assert!(matches!(read_refresh(&html(status)), RefreshAnswer::Unclear(_)), "{status}");
    }
}

#[test]
fn n35_trouble_with_the_client_ends_no_session() {
    for error in ["invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type"] {
        for status in [400, 401, 403] {
            let body = format!(r#"{{"error":"{error}","error_description":"secret rotated"}}"#);
            let said = error_of(NetErrorKind::ClientRefused(format!("{error}: secret rotated")));
            assert_eq!(
                read_refresh(&answer(status, &body)),
                RefreshAnswer::Declined(said),
                "{status} {error}"
            );
        }
    }
}

#[test]
fn n32_an_attempt_that_changed_nothing_is_told_from_doubt() {
    let read = |status, body| read_refresh(&answer(status, body));
    assert_eq!(
        read(409, r#"{"error":"rotation_in_progress","attempt_consumed":false}"#),
        RefreshAnswer::Rotating
    );
    assert_eq!(read(409, r#"{"error":"deadline_passed","attempt_consumed":false}"#), RefreshAnswer::Late);
    let busy = r#"{"error":"temporarily_unavailable","attempt_consumed":false}"#;
    let said = NetErrorKind::Status(503, Some("temporarily_unavailable".to_owned()));
    assert_eq!(read(503, busy), RefreshAnswer::Declined(error_of(said)));
    assert_eq!(
        read(429, r#"{"error":"rate_limited","retry_after_secs":7}"#),
        RefreshAnswer::Declined(error_of(NetErrorKind::Limited(7)))
    );
    assert!(matches!(read(503, r#"{"error":"temporarily_unavailable"}"#), RefreshAnswer::Unclear(_)));
    let elsewhere = read(302, "");
    assert!(matches!(elsewhere, RefreshAnswer::Unclear(t) if t.kind == NetErrorKind::Redirect));
    let limited = HttpResponse { retry_after: Some("9".into()), ..html(503) };
    assert_eq!(read_refresh(&limited), RefreshAnswer::Unclear(error_of(NetErrorKind::Limited(9))));
}

#[test]
fn n34_a_status_that_means_not_processed_is_no_doubt() {
    for status in [429, 421, 425] {
        for body in ["", "{}", r#"{"error":"invalid_grant"}"#, r#"{"error":"slow_down"}"#] {
            let said = read_refresh(&answer(status, body));
            assert!(matches!(said, RefreshAnswer::Declined(_)), "{status} {body}: {said:?}");
        }
        let unsaid =
            if status == 429 { NetErrorKind::Limited(30) } else { NetErrorKind::Status(status, None) };
        assert_eq!(read_refresh(&html(status)), RefreshAnswer::Declined(error_of(unsaid)));
        let limited = HttpResponse { retry_after: Some("9".into()), ..html(status) };
        assert_eq!(read_refresh(&limited), RefreshAnswer::Declined(error_of(NetErrorKind::Limited(9))));
    }
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
fn unsendable_tokens_and_tokens_of_another_type_are_not_accepted() {
    for odd in [
        TOKENS.replace("bEaReR", "DPoP"),
        TOKENS.replace(r#""a""#, r#""""#),
        TOKENS.replace(r#""a""#, r#""a\nb""#),
        TOKENS.replace(r#""r""#, r#""r r""#),
        TOKENS.replace("access_token", "accessToken"),
        TOKENS.replace(r#""token_type":"bEaReR","#, ""),
    ] {
        assert!(matches!(read_refresh(&answer(200, &odd)), RefreshAnswer::Unclear(_)), "{odd}");
        assert!(matches!(tokens::read_sign_in(None, None, &answer(200, &odd)), LoginAnswer::Net(_)), "{odd}");
    }
}

#[test]
fn n20_odd_lifetimes_are_understood_and_never_lose_the_tokens() {
    let access = |secs: &str| granted(&TOKENS.replace("3600", secs)).access_expires_in;
    assert_eq!(access("3600"), Some(3600));
    assert_eq!(access("\"3600\""), Some(3600));
    assert_eq!(access("99.5"), Some(99));
    assert_eq!(access("1e300"), Some(i64::MAX));
    for unknown in ["null", "\"soon\"", "[1]", "{}", "\"\""] {
        assert_eq!(access(unknown), None, "{unknown}");
    }
    assert_eq!(granted(&TOKENS.replace(r#","expires_in":3600"#, "")).access_expires_in, None);
    let refresh =
        |field: &str| granted(&TOKENS.replace(r#""r""#, &format!(r#""r",{field}"#))).refresh_expires_in;
    assert_eq!(refresh(r#""refresh_expires_in":1800"#), Some(1800));
    assert_eq!(refresh(r#""refresh_token_expires_in":"1800""#), Some(1800));
    assert_eq!(refresh(r#""refresh_expires_in":0"#), None, "Keycloak's way to say never");
    assert_eq!(refresh(r#""x":0"#), None);
    let draft = r#""refresh_token_timeout":600,"refresh_expires_in":1800"#;
    assert_eq!(refresh(draft), Some(600), "the standard's own word comes first");
    let whole = TOKENS.replace(r#""r""#, r#""r","authorization_expires_in":"86400""#);
    assert_eq!(granted(&whole).sign_in_expires_in, Some(86_400));
}

#[test]
fn a_refresh_token_that_stays_can_be_sent_again() {
    let rotated = granted(TOKENS);
    assert_eq!((rotated.refresh, rotated.capability), (Some(Secret::new("r")), Capability::None));
    for stays in [TOKENS.replace(r#","refresh_token":"r""#, ""), TOKENS.replace(r#""r""#, "null")] {
        let grant = granted(&stays);
        assert_eq!((grant.refresh, grant.capability), (None, Capability::Reusable), "{stays}");
    }
    let promised = TOKENS.replace(r#""r""#, r#""r","refresh_retry":{"v":1,"until":"used"}"#);
    assert_eq!(granted(&promised).capability, Capability::Rr1);
}

#[test]
fn a_refresh_names_its_user_and_survives_bad_id_tokens() {
    let with = |token: &str| granted(&TOKENS.replace(r#""r""#, &format!(r#""r","id_token":"{token}""#)));
    let named = with(&id_token(&json!({"sub": "u2", "iss": ISSUER, "aud": "me", "exp": 1})));
    assert_eq!(named.user.map(|user| user.id), Some("u2".to_owned()));
    for odd in ["", "a.b", "a.b.c.d.e", "x"] {
        assert_eq!(with(odd).user, None);
    }
}

#[test]
fn n31_tokens_beside_an_id_token_of_others_are_others() {
    let read = |claims: &Value| {
        let token = id_token(claims);
        read_refresh(&answer(200, &TOKENS.replace(r#""r""#, &format!(r#""r","id_token":"{token}""#))))
    };
    for claims in [
        json!({"sub": "u", "iss": "https://evil.example", "aud": "me"}),
        json!({"sub": "u", "iss": format!("{ISSUER}.evil.example"), "aud": "me"}),
        json!({"sub": "u", "iss": [ISSUER], "aud": "me"}),
        json!({"sub": "u", "iss": ISSUER, "aud": "another"}),
        json!({"sub": "u", "iss": ISSUER, "aud": ["another", "third"]}),
        json!({"sub": "u", "iss": ISSUER, "aud": []}),
        json!({"sub": "u", "iss": ISSUER, "aud": {"me": "me"}}),
        json!({"sub": "u", "iss": ISSUER, "aud": ["me", "another"], "azp": "another"}),
        json!({"aud": "another"}),
    ] {
        assert_eq!(read(&claims), RefreshAnswer::Foreign, "{claims}");
    }
    for claims in [
        json!({"sub": "u", "iss": format!("{ISSUER}/"), "aud": ["another", "me"], "azp": "me"}),
        json!({"sub": "u", "iss": ISSUER, "aud": ["another", "me"]}),
        json!({"sub": "u"}),
    ] {
        assert!(matches!(read(&claims), RefreshAnswer::Granted(_)), "{claims}");
    }
}

fn id_token(claims: &Value) -> String {
    format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn userinfo_says_who_it_is_and_only_json_counts() {
    let read = |body: &str| read_identity(&answer(200, body));
    let about = |name: &str| BTreeMap::from([("name".to_owned(), name.to_owned())]);
    let user = |email: &str| Some(User { id: "u".into(), email: email.into() });
    assert_eq!(
        read(r#"{"sub":"u","email":"e@x","name":"Ada","preferred_username":"ada"}"#),
        Identity::Accepted { user: user("e@x"), about: about("Ada") }
    );
    assert_eq!(
        read(r#"{"sub":"u","email":"e@x","email_verified":false,"preferred_username":"ada"}"#),
        Identity::Accepted { user: user(""), about: about("ada") }
    );
    for body in [r#"{"sub":"u","email":"e@x","email_verified":"false"}"#, r#"{"sub":"u","email":7}"#] {
        assert_eq!(read(body), Identity::Accepted { user: user(""), about: BTreeMap::new() }, "{body}");
    }
    for body in ["{}", r#"{"sub":1}"#, r#"{"sub":""}"#, r#"["u","e@x"]"#, "h.e.s"] {
        assert!(matches!(read(body), Identity::Net(_)), "{body}");
    }
    assert_eq!(read_identity(&answer(401, r#"{"error":"invalid_token"}"#)), Identity::Refused);
    assert_eq!(read_identity(&answer(401, "")), Identity::Refused);
    for page in [200, 302, 401, 500] {
        assert!(matches!(read_identity(&html(page)), Identity::Net(_)), "{page}");
    }
}
