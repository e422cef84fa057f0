//! Dynamic client registration (RFC 7591): what is told, and what the answer says.

use super::super::registration;
use super::*;

#[test]
fn a_registration_tells_nothing_of_the_machine() {
    let call = login(&LoginCall::Register {
        endpoints: endpoints(),
        redirect: Some("http://127.0.0.1:7/callback".into()),
        scope: Some("openid".into()),
    });
    let body: Value = serde_json::from_str(call.unwrap().sent_body()).unwrap();
    let wanted = json!({
        "client_name": "everkey", "application_type": "native", "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "redirect_uris": ["http://127.0.0.1:7/callback"], "scope": "openid",
    });
    assert_eq!(body, wanted);
    let insists = Endpoints { client_auth: vec![AuthMethod::ClientSecretPost], ..endpoints() };
    let body: Value =
        serde_json::from_str(registration::call(&insists, None, None).unwrap().sent_body()).unwrap();
    assert_eq!(body["token_endpoint_auth_method"], "client_secret_post");
    assert_eq!((&body["grant_types"][0], &body["response_types"]), (&json!(device::DEVICE_CODE), &json!([])));
    assert!(registration::call(&Endpoints { registration: None, ..endpoints() }, None, None).is_none());
}

#[test]
fn a_registration_is_as_the_server_says() {
    let read = |status, body: &str| registration::read_registered(&endpoints(), &answer(status, body));
    let auth = |body: &str| match read(201, body) {
        LoginAnswer::Registered(known) => Some((known.auth, known.client_secret)),
        _ => None,
    };
    let secret = Some(Secret::new("s"));
    assert_eq!(auth(r#"{"client_id":"c"}"#), Some((AuthMethod::None, None)));
    let basic = auth(r#"{"client_id":"c","client_secret":"s"}"#);
    assert_eq!(basic, Some((AuthMethod::ClientSecretBasic, secret.clone())));
    let post =
        auth(r#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_post"}"#);
    assert_eq!(post, Some((AuthMethod::ClientSecretPost, secret)));
    let none = auth(r#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"none"}"#);
    assert_eq!(none, Some((AuthMethod::None, None)));
    for odd in [
        "{}",
        r#"{"client_id":""}"#,
        r#"{"client_id":"c\n"}"#,
        r#"{"client_id":"c","token_endpoint_auth_method":"client_secret_basic"}"#,
        r#"{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}"#,
        r#"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"private_key_jwt"}"#,
    ] {
        assert_eq!(auth(odd), None, "{odd}");
    }
    for (body, words) in [
        (r#"{"error":"invalid_redirect_uri"}"#, "invalid_redirect_uri"),
        (
            r#"{"error":"invalid_client_metadata","error_description":"no\u001b[2J"}"#,
            "invalid_client_metadata: no[2J",
        ),
        (r#"{"error":"access_denied","error_description":"closed"}"#, "access_denied: closed"),
    ] {
        assert_eq!(read(400, body), LoginAnswer::Rejected(Rejected::Registration(words.into())));
    }
    assert!(matches!(registration::read_registered(&endpoints(), &html(403)), LoginAnswer::Net(_)));
}

#[test]
fn a_registration_says_when_its_secret_lapses() {
    let lapses = |said: &str| {
        let body = format!(r#"{{"client_id":"c",{said}}}"#);
        match registration::read_registered(&endpoints(), &answer(201, &body)) {
            LoginAnswer::Registered(known) => known.secret_expires_at,
            other => panic!("{other:?}"),
        }
    };
    let secret = r#""client_secret":"s","client_secret_expires_at""#;
    assert_eq!(lapses(&format!("{secret}:1800000000")), Some(1_800_000_000));
    assert_eq!(lapses(&format!("{secret}:1800000000.5")), Some(1_800_000_000));
    for never in ["0", "null", "\"0\"", "-1", "[]"] {
        assert_eq!(lapses(&format!("{secret}:{never}")), None, "{never}");
    }
    assert_eq!(lapses(r#""client_secret_expires_at":1800000000"#), None, "there is no secret");
}
