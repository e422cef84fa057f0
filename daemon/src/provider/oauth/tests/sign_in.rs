//! Metadata, device codes and the exchange.

use super::*;

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "token_endpoint": "https://tokens.example/t?tenant=1",
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "device_authorization_endpoint": format!("{ISSUER}/device"),
        "scopes_supported": ["openid"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
        "everkey_refresh_retry": {"v": 1, "until": "used", "session_endpoint": format!("{ISSUER}/session")},
    })
}

fn read_for(scheme: SignInMethod, metadata: &Value) -> LoginAnswer {
    let call = LoginCall::Discover { issuer: ISSUER.into(), place: WellKnown::OpenId, scheme };
    read_login(&call, &answer(200, &metadata.to_string()))
}

fn changed(change: impl FnOnce(&mut Value)) -> LoginAnswer {
    let mut metadata = metadata();
    change(&mut metadata);
    read_for(SignInMethod::Browser, &metadata)
}

fn is_metadata(answer: &LoginAnswer) -> bool {
    matches!(answer, LoginAnswer::Rejected(Rejected::Metadata(_)))
}

#[test]
fn metadata_lies_at_three_places() {
    let url = |issuer: &str, place| metadata::url(issuer, place).unwrap();
    for issuer in ["https://a", "https://a/"] {
        assert_eq!(url(issuer, WellKnown::OpenId), "https://a/.well-known/openid-configuration");
        assert_eq!(url(issuer, WellKnown::OAuth), "https://a/.well-known/oauth-authorization-server");
    }
    let deep = "http://127.0.0.1:8080/realms/x/";
    assert_eq!(
        url(deep, WellKnown::OpenId),
        "http://127.0.0.1:8080/realms/x/.well-known/openid-configuration"
    );
    assert_eq!(
        url(deep, WellKnown::OAuth),
        "http://127.0.0.1:8080/.well-known/oauth-authorization-server/realms/x"
    );
    assert_eq!(
        url(deep, WellKnown::OpenIdOfPath),
        "http://127.0.0.1:8080/.well-known/openid-configuration/realms/x"
    );
    for odd in ["http://a", "https://a?x", "https://a#x", "https://u@a", "a"] {
        assert_eq!(metadata::url(odd, WellKnown::OpenId), None, "{odd}");
    }
}

#[test]
fn metadata_is_read() {
    let LoginAnswer::Discovered(found) = changed(|_| {}) else { panic!("it is fine") };
    assert_eq!(
        found.token, "https://tokens.example/t?tenant=1",
        "an issuer may have its endpoints elsewhere"
    );
    assert_eq!((found.registration, found.names_itself), (None, true));
    assert_eq!(found.client_auth, [AuthMethod::PrivateKeyJwt, AuthMethod::ClientSecretPost]);
    assert_eq!(found.session, Some(format!("{ISSUER}/session")));
}

#[test]
fn an_openid_provider_without_listed_scopes_has_the_openid_scope() {
    let scopes = |algs: Value| match changed(|metadata| {
        metadata["scopes_supported"] = Value::Null;
        metadata["id_token_signing_alg_values_supported"] = algs;
    }) {
        LoginAnswer::Discovered(found) => found.scopes,
        other => panic!("{other:?}"),
    };
    assert_eq!(scopes(json!(["RS256"])), ["openid"]);
    assert_eq!(scopes(Value::Null), [""; 0]);
}

#[test]
fn an_issuer_that_lies_is_not_believed() {
    for other in ["https://evil.example", "https://id.example/realm/", "https://ID.example/realm", ""] {
        let read = changed(|metadata| metadata["issuer"] = json!(other));
        assert_eq!(read, LoginAnswer::Rejected(Rejected::Issuer(other.to_owned())));
    }
    assert!(matches!(changed(|metadata| metadata["issuer"] = json!(7)), LoginAnswer::Net(_)));
    let slash = LoginCall::Discover {
        issuer: format!("{ISSUER}/"),
        place: WellKnown::OAuth,
        scheme: SignInMethod::Browser,
    };
    let mut metadata = metadata();
    metadata["issuer"] = json!(format!("{ISSUER}/"));
    let read = read_login(&slash, &answer(200, &metadata.to_string()));
    assert!(matches!(read, LoginAnswer::Discovered(found) if found.issuer == format!("{ISSUER}/")));
}

#[test]
fn endpoints_are_no_less_safe_than_the_issuer() {
    for name in ["token", "authorization", "device_authorization", "registration", "revocation", "userinfo"] {
        for odd in
            ["http://id.example/x", "http://127.0.0.1/x", "ftp://x", "x", "", "https://u:p@x", "https://x#y"]
        {
            let read = changed(|metadata| metadata[format!("{name}_endpoint")] = json!(odd));
            assert!(is_metadata(&read), "{name} {odd}: {read:?}");
        }
    }
    assert!(is_metadata(&changed(|metadata| metadata["token_endpoint"] = Value::Null)));
    let elsewhere = json!({"session_endpoint": "https://other.example/session"});
    let read = changed(|metadata| metadata["everkey_refresh_retry"] = elsewhere);
    assert!(matches!(read, LoginAnswer::Discovered(found) if found.session.is_none()));
}

#[test]
fn a_local_http_address_is_allowed_and_normalised() {
    let at = "HTTP://127.0.0.1:1";
    let metadata = json!({"issuer": at, "token_endpoint": "HTTP://127.0.0.1:1/t"});
    let call =
        LoginCall::Discover { issuer: at.into(), place: WellKnown::OpenId, scheme: SignInMethod::Device };
    let read = read_login(&call, &answer(200, &metadata.to_string()));
    // By these letters the client keeps proxies away from plain http.
    assert!(matches!(read, LoginAnswer::Discovered(found) if found.token == "http://127.0.0.1:1/t"));
}

#[test]
fn a_browser_needs_pkce_and_every_client_a_supported_authentication() {
    let mut plain = metadata();
    plain["code_challenge_methods_supported"] = json!(["plain"]);
    assert!(is_metadata(&read_for(SignInMethod::Browser, &plain)));
    assert!(matches!(read_for(SignInMethod::Device, &plain), LoginAnswer::Discovered(_)));
    let silent = changed(|metadata| metadata["code_challenge_methods_supported"] = Value::Null);
    assert!(matches!(silent, LoginAnswer::Discovered(_)), "many servers take it and don't say so");
    let keys = json!(["client_secret_jwt", "tls_client_auth"]);
    assert!(is_metadata(&changed(|metadata| metadata["token_endpoint_auth_methods_supported"] = keys)));
}

#[test]
fn no_metadata_is_told_at_the_last_place() {
    let read = |place, answer: &HttpResponse| metadata::read(ISSUER, place, SignInMethod::Device, answer);
    let first = read(WellKnown::OpenId, &answer(404, "{}"));
    assert!(matches!(first, LoginAnswer::Net(t) if t.kind == NetErrorKind::Status(404, None)));
    let second = read(WellKnown::OAuth, &html(404));
    assert!(matches!(second, LoginAnswer::Net(_)), "an issuer with a path has a third place");
    let pathless = metadata::read("https://a", WellKnown::OAuth, SignInMethod::Device, &html(404));
    for last in [pathless, read(WellKnown::OpenIdOfPath, &html(404))] {
        assert!(is_metadata(&last), "{last:?}");
    }
    for page in [html(200), html(500), answer(302, ""), answer(200, "[]")] {
        assert!(matches!(read(WellKnown::OpenIdOfPath, &page), LoginAnswer::Net(_)), "{}", page.status);
    }
}

const STARTED: &str = r#"{"device_code":"d","user_code":"AB-CD","verification_uri":"https://x/d",
  "verification_uri_complete":"https://x/d?c=1#y","expires_in":600}"#;

#[test]
fn a_device_begins() {
    let call =
        LoginCall::StartDevice { registration: Some(known(AuthMethod::None)), scope: Some("a b".into()) };
    assert_eq!(login(&call).unwrap().sent_body(), "scope=a+b&client_id=me");
    let offline = LoginCall::StartDevice {
        registration: Some(known(AuthMethod::None)),
        scope: Some("offline_access".into()),
    };
    let asked = "scope=offline_access&prompt=consent&client_id=me";
    assert_eq!(login(&offline).unwrap().sent_body(), asked);
    let started = LoginAnswer::DeviceStarted {
        device_code: Secret::new("d"),
        user_code: "AB-CD".into(),
        url: "https://x/d".into(),
        complete_url: Some("https://x/d?c=1#y".into()),
        expires_in: 600,
        interval: 5,
    };
    assert_eq!(read_login(&call, &answer(200, STARTED)), started);
    for old in [
        STARTED.replace("verification_uri\"", "verification_url\""),
        STARTED.replace("\"expires_in", "\"verification_url\":\"https://other/\",\"expires_in"),
    ] {
        assert_eq!(read_login(&call, &answer(200, &old)), started, "{old}");
    }
}

#[test]
fn an_address_that_people_should_not_open_is_not_shown() {
    let odd = [
        "http://evil/d",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://x/d\\u001b[2J",
        "https://x d",
    ];
    for odd in odd {
        for place in ["https://x/d\"", "https://x/d?c=1#y\""] {
            let body = STARTED.replace(place, &format!("{odd}\""));
            let read = device::read_start(&answer(200, &body));
            assert!(matches!(read, LoginAnswer::Net(_)), "{odd}: {read:?}");
        }
    }
    let here = STARTED.replace("https://x/d\"", "http://127.0.0.1:1/d\"");
    assert!(matches!(device::read_start(&answer(200, &here)), LoginAnswer::DeviceStarted { .. }));
}

#[test]
fn each_answer_to_a_poll_has_its_meaning() {
    let call =
        LoginCall::PollDevice { registration: Some(known(AuthMethod::None)), device_code: Secret::new("d") };
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    assert_eq!(login(&call).unwrap().sent_body(), format!("{grant}&device_code=d&client_id=me"));
    let read = |status, error: &str| read_login(&call, &answer(status, &format!(r#"{{"error":"{error}"}}"#)));
    // Google answers with 428 and 403, GitHub with 200.
    for status in [200, 400, 403, 428] {
        assert_eq!(read(status, "authorization_pending"), LoginAnswer::Pending, "{status}");
        assert_eq!(read(status, "slow_down"), LoginAnswer::SlowDown, "{status}");
    }
    assert_eq!(read(400, "access_denied"), LoginAnswer::Rejected(Rejected::Denied));
    assert_eq!(read(400, "expired_token"), LoginAnswer::Rejected(Rejected::Expired));
    assert_eq!(read(400, "invalid_grant"), LoginAnswer::Rejected(Rejected::Other("invalid_grant".into())));
    assert!(matches!(read(500, "authorization_pending"), LoginAnswer::Net(_)));
    assert!(matches!(read_login(&call, &html(502)), LoginAnswer::Net(_)));
    assert!(matches!(read_login(&call, &answer(200, TOKENS)), LoginAnswer::Granted(_)));
}

/// What is wrong with an answer.
fn flaw_of(answer: LoginAnswer) -> Option<AnswerFlaw> {
    match answer {
        LoginAnswer::Net(NetError { kind: NetErrorKind::NotTheContract(answer), .. }) => Some(answer.flaw),
        _ => None,
    }
}

fn exchange(nonce: Option<&str>) -> LoginCall {
    LoginCall::Exchange {
        registration: known(AuthMethod::None),
        code: Secret::new("co"),
        verifier: Secret::new("v"),
        redirect: "http://127.0.0.1:7/callback".into(),
        nonce: nonce.map(str::to_owned),
        lifetime_secs: None,
    }
}

#[test]
fn a_code_is_exchanged_with_its_verifier() {
    let call = login(&exchange(None)).unwrap();
    let body = "grant_type=authorization_code&code=co&redirect_uri=http%3A%2F%2F127.0.0.1%3A7%2Fcallback\
                &code_verifier=v&client_id=me";
    assert_eq!(call.sent_body(), body);
    let refused = read_login(&exchange(None), &answer(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!(refused, LoginAnswer::Rejected(Rejected::Other("invalid_grant".into())));
    for page in [html(200), html(500), answer(302, ""), answer(200, "{}")] {
        assert!(matches!(read_login(&exchange(None), &page), LoginAnswer::Net(_)), "{}", page.status);
    }
    let hostile = read_login(&exchange(None), &answer(400, r#"{"error":"\u001b[2J"}"#));
    assert!(matches!(hostile, LoginAnswer::Net(_)), "{hostile:?}");
}

#[test]
fn each_request_for_tokens_names_the_resources_of_the_grant() {
    let resources = vec!["https://a".to_owned(), "urn:b".to_owned()];
    let known = Registration { resources, ..known(AuthMethod::None) };
    let registration = || Some(known.clone());
    let exchange = match exchange(None) {
        LoginCall::Exchange { code, verifier, redirect, nonce, lifetime_secs, .. } => {
            let registration = known.clone();
            LoginCall::Exchange { registration, code, verifier, redirect, nonce, lifetime_secs }
        }
        other => other,
    };
    let calls = [
        LoginCall::StartDevice { registration: registration(), scope: None },
        LoginCall::PollDevice { registration: registration(), device_code: Secret::new("d") },
        exchange,
    ];
    let at = CallTarget { server: ISSUER.into(), registration: registration() };
    let refresh = refresh(&at, &Secret::new("r"));
    for request in calls.iter().map(login).chain([refresh]) {
        let body = request.unwrap().sent_body().to_owned();
        assert!(body.contains("resource=https%3A%2F%2Fa&resource=urn%3Ab"), "{body}");
    }
    let revocation = PendingRevocation {
        id: 1,
        at,
        access: Secret::new("a"),
        access_expires_at: None,
        refresh: None,
        until: 0,
        user: None,
    };
    assert!(!revoke(&revocation).unwrap().sent_body().contains("resource"), "it asks for nothing");
}

#[test]
fn id_tokens_count_only_for_their_client_and_sign_in() {
    let good = json!({
        "iss": ISSUER, "aud": "me", "sub": "u", "exp": 1600, "nonce": "n", "email": "e@x", "name": "Ada",
    });
    let read = |claims: &Value, nonce: Option<&str>| {
        let body = TOKENS.replace(r#""r""#, &format!(r#""r","id_token":"{}""#, id_token(claims)));
        read_login(&exchange(nonce), &answer(200, &body))
    };
    let LoginAnswer::Granted(grant) = read(&good, Some("n")) else { panic!("it is fine") };
    assert_eq!(grant.user, Some(User { id: "u".into(), email: "e@x".into() }));
    assert_eq!(grant.about["name"], "Ada");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        read(&claims, Some("n"))
    };
    for (name, fine) in [
        ("aud", json!(["me"])),
        ("azp", json!("me")),
        ("exp", json!(701)),
        ("exp", json!(1600.5)),
        ("exp", json!("1600")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("email", Value::Null),
    ] {
        assert!(matches!(with(name, fine.clone()), LoginAnswer::Granted(_)), "{name} {fine}");
    }
    for (name, others) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{ISSUER}/x"))),
        ("aud", json!("you")),
        ("aud", json!([])),
        ("aud", json!(["me", "you"])),
        ("azp", json!("you")),
        ("nonce", json!("m")),
        ("nonce", Value::Null),
    ] {
        let answered = flaw_of(with(name, others.clone()));
        let named = if name == "azp" { "id_token.aud".to_owned() } else { format!("id_token.{name}") };
        assert!(matches!(&answered, Some(AnswerFlaw::Unfit(it, _)) if *it == named), "{answered:?} {others}");
    }
    for (name, odd) in
        [("exp", json!(700)), ("exp", Value::Null), ("sub", json!("")), ("sub", json!(7)), ("aud", json!(7))]
    {
        let named = format!("id_token.{name}");
        match flaw_of(with(name, odd.clone())) {
            Some(AnswerFlaw::Unfit(it, _) | AnswerFlaw::WrongKind(it)) => assert_eq!(it, named, "{odd}"),
            other => panic!("{name} {odd}: {other:?}"),
        }
    }
    assert!(matches!(read(&good, None), LoginAnswer::Granted(_)), "where none was sent, none is compared");
}
