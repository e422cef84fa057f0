//! The token endpoint: codes are exchanged once, by their own client, with everything that belongs to them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use everkey_server::rules::rate::Limit;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::kit::oauth::{REDIRECT, VERIFIER, exchange, fields, text};
use crate::kit::room::connect;
use crate::kit::server::{Options, Server, no_limits, start};
use crate::kit::wire::request;

async fn introspected(server: &Server, token: &str) -> u16 {
    request("GET", "/userinfo").bearer(token).send(server.address).await.status
}

#[tokio::test]
async fn tokens_from_a_code_open_userinfo_only() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let tokens = server.oauth_tokens(&me, &client, "profile email").await;
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_u64()), (Some("Bearer"), Some(3600)));
    assert_eq!(
        (tokens["scope"].as_str(), tokens["refresh_expires_in"].as_u64()),
        (Some("profile email"), Some(2_592_000))
    );
    assert_eq!(tokens["refresh_retry"], json!({ "v": 1, "until": "used" }));
    assert!(tokens.get("id_token").is_none(), "without openid there is no id_token");
    let access = text(&tokens, "access_token");
    let seen = request("GET", "/userinfo").bearer(&access).send(server.address).await;
    seen.expect(200);
    assert_eq!(seen.json(), json!({ "sub": me.user_id, "email": "ada@example.com", "email_verified": true }));
    for (method, path) in [("GET", "/v0/auth/me"), ("GET", "/v0/reminders"), ("DELETE", "/v0/reminders")] {
        request(method, path).bearer(&access).send(server.address).await.expect_error(401, "unauthorized");
    }
    let session = server.get("/v0/auth/session", &access).await;
    assert!(session.json().get("user").is_none() && session.json()["generation"] == 1);
}

#[tokio::test]
async fn a_second_use_revokes_what_the_first_got() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let other = text(&server.oauth_tokens(&me, &client, "email").await, "access_token");
    let code = server.code(&me, &client, "email").await;
    let first = server.exchange(&client, &code, &[]).await;
    first.expect(200);
    server.exchange(&client, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
    assert_eq!(introspected(&server, &first.text("access_token")).await, 401);
    let refreshed = server.oauth_refresh(&client, &first.text("refresh_token"), &[]).await;
    refreshed.expect_oauth_error(400, "invalid_grant");
    assert_eq!(server.events("code_replayed").await, 1);
    assert_eq!(introspected(&server, &other).await, 200, "other sessions go on");
    server.get("/v0/auth/me", &me.access).await.expect(200);
}

#[tokio::test]
async fn of_many_at_once_exactly_one_gets_tokens() {
    let server = Arc::new(start(Options::without_limits()).await);
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let code = server.code(&me, &client, "email").await;
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (server, client, code) = (Arc::clone(&server), client.clone(), code.clone());
            tokio::spawn(async move { server.exchange(&client, &code, &[]).await })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == 200 {
            winners += 1;
        } else {
            answer.expect_oauth_error(400, "invalid_grant");
        }
    }
    assert_eq!((winners, server.events("login").await), (1, 2));
}

#[tokio::test]
async fn the_code_alone_can_neither_be_used_nor_burnt() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let thief = server.public_client().await;
    let code = server.code(&me, &client, "email").await;
    let wrong_verifier = "A".repeat(43);
    let spoiled: [&[(&str, &str)]; 9] = [
        &[("code_verifier", &wrong_verifier)],
        &[("code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")],
        &[("code_verifier", &VERIFIER[..42])],
        &[("redirect_uri", "https://app.example/cb/")],
        &[("redirect_uri", "https://app.example/CB")],
        &[("redirect_uri", "https://app.example:443/cb")],
        &[("redirect_uri", "https://app.example/cb#")],
        &[("client_id", &thief.id)],
        &[("code", "unknown")],
    ];
    for change in spoiled {
        server.exchange(&client, &code, change).await.expect_oauth_error(400, "invalid_grant");
    }
    for missing in ["code", "code_verifier", "redirect_uri", "grant_type"] {
        let answer = server.exchange(&client, &code, &[(missing, "-")]).await;
        answer.expect_oauth_error(400, "invalid_request");
    }
    let tokens = server.exchange(&client, &code, &[]).await;
    tokens.expect(200);
    for change in spoiled {
        server.exchange(&client, &code, change).await.expect_oauth_error(400, "invalid_grant");
    }
    assert_eq!(introspected(&server, &tokens.text("access_token")).await, 200);
    assert_eq!(server.events("code_replayed").await, 0);
}

#[tokio::test]
async fn a_code_works_for_a_minute() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let (in_time, late) =
        (server.code(&me, &client, "email").await, server.code(&me, &client, "email").await);
    server.clock.advance(Duration::from_millis(59_999));
    server.exchange(&client, &in_time, &[]).await.expect(200);
    server.clock.advance(Duration::from_millis(1));
    server.exchange(&client, &late, &[]).await.expect_oauth_error(400, "invalid_grant");
    server.exchange(&client, &in_time, &[]).await.expect_oauth_error(400, "invalid_grant");
    assert_eq!(server.events("code_replayed").await, 1, "a second use is noticed after the minute, too");
}

#[tokio::test]
async fn a_client_proves_itself_only_as_it_registered() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let (public, basic, post) = (
        server.public_client().await,
        server.secret_client("client_secret_basic").await,
        server.secret_client("client_secret_post").await,
    );
    let with_basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let (basic_secret, post_secret) = (basic.secret.clone().unwrap(), post.secret.clone().unwrap());

    let code = server.code(&me, &basic, "email").await;
    let base = exchange(&basic, &code, &[("client_id", "-"), ("client_secret", "-")]);
    let auth = |value: &str| base.clone().header("authorization", value);
    let refused = async |request: crate::kit::wire::Request| {
        let answer = request.send(server.address).await;
        answer.expect_oauth_error(401, "invalid_client");
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic ")));
    };
    refused(base.clone()).await;
    refused(auth(&with_basic(&basic.id, "wrong"))).await;
    refused(auth(&with_basic(&basic.id, ""))).await;
    refused(auth(&with_basic(&basic.id, &post_secret))).await;
    refused(auth(&with_basic("nobody", &basic_secret))).await;
    refused(auth("Basic ?")).await;
    refused(auth("Bearer abc")).await;
    refused(exchange(&basic, &code, &[])).await;
    refused(exchange(&basic, &code, &[("client_secret", "-")])).await;
    let both = exchange(&basic, &code, &[]).header("authorization", &with_basic(&basic.id, &basic_secret));
    both.send(server.address).await.expect_oauth_error(400, "invalid_request");
    let two_ids =
        exchange(&public, &code, &[]).header("authorization", &with_basic(&basic.id, &basic_secret));
    two_ids.send(server.address).await.expect_oauth_error(400, "invalid_request");
    auth(&with_basic(&basic.id, &basic_secret)).send(server.address).await.expect(200);

    let code = server.code(&me, &post, "email").await;
    refused(exchange(&post, &code, &[("client_secret", "wrong")])).await;
    let by_header = exchange(&post, &code, &[("client_secret", "-")]);
    refused(by_header.header("authorization", &with_basic(&post.id, &post_secret))).await;
    exchange(&post, &code, &[]).send(server.address).await.expect(200);

    let code = server.code(&me, &public, "email").await;
    refused(exchange(&public, &code, &[("client_secret", "anything")])).await;
    refused(exchange(&public, &code, &[("client_id", "nobody")])).await;
    server.exchange(&public, &code, &[]).await.expect(200);
    assert!(server.events("client_refused").await >= 10);
}

#[tokio::test]
async fn malformed_token_requests_are_refused_in_oauths_shape() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let code = server.code(&me, &client, "email").await;
    for grant in ["password", "client_credentials", "implicit", "AUTHORIZATION_CODE"] {
        let answer = server.exchange(&client, &code, &[("grant_type", grant)]).await;
        answer.expect_oauth_error(400, "unsupported_grant_type");
    }
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let answer = server.exchange(&client, &code, &[("grant_type", device)]).await;
    answer.expect_oauth_error(400, "unauthorized_client");
    for expiry in ["0", "-1", "1.5", "soon", "99999999999", "0x10", " 5"] {
        let answer = server.exchange(&client, &code, &[("requested_expiry", expiry)]).await;
        answer.expect_oauth_error(400, "invalid_request");
    }
    let post = |text: &str| request("POST", "/token").raw_form(text);
    for text in ["", "grant_type", "=", "grant_type=authorization_code&grant_type=authorization_code"] {
        post(text).send(server.address).await.expect_oauth_error(400, "invalid_request");
    }
    let base = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT)];
    let rest = [("code_verifier", VERIFIER), ("client_id", client.id.as_str())];
    for twice in ["code", "client_id", "code_verifier", "redirect_uri", "unknown"] {
        let mut all = fields(&base, &rest);
        all.extend([(twice, "x"), (twice, "x")]);
        let answer = request("POST", "/token").form(&all).send(server.address).await;
        answer.expect_oauth_error(400, "invalid_request");
    }
    post(&format!("x={}", "y".repeat(17_000)))
        .send(server.address)
        .await
        .expect_oauth_error(413, "invalid_request");
    let json = request("POST", "/token").json(&json!({ "grant_type": "authorization_code" }));
    json.send(server.address).await.expect_oauth_error(415, "invalid_request");
    request("GET", "/token").send(server.address).await.expect_error(405, "method_not_allowed");
    server.exchange(&client, &code, &[]).await.expect(200);
}

#[tokio::test]
async fn without_refresh_tokens_access_may_last_longer() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let dot_ai =
        server.client(&json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" })).await;
    let refreshing = server.public_client().await;
    for (client, asked, given) in [
        (&dot_ai, "-", 3600),
        (&dot_ai, "60", 60),
        (&dot_ai, "2592000", 2_592_000),
        (&dot_ai, "9999999999", 2_592_000),
        (&refreshing, "60", 60),
        (&refreshing, "2592000", 3600),
    ] {
        let code = server.code(&me, client, "email").await;
        let tokens = server.exchange(client, &code, &[("requested_expiry", asked)]).await;
        tokens.expect(200);
        assert_eq!(tokens.json()["expires_in"], given, "{asked}");
        assert_eq!(tokens.json().get("refresh_token").is_some(), client.id == refreshing.id);
    }
    let code = server.code(&me, &dot_ai, "email").await;
    let tokens = server.exchange(&dot_ai, &code, &[("requested_expiry", "2592000")]).await;
    server.clock.advance(Duration::from_secs(2_591_999));
    assert_eq!(introspected(&server, &tokens.text("access_token")).await, 200);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(introspected(&server, &tokens.text("access_token")).await, 401);
}

fn part(token: &str, nth: usize) -> Value {
    let part = token.split('.').nth(nth).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn an_id_token_is_signed_for_this_client_alone() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let tokens = server.oauth_tokens(&me, &client, "openid email").await;
    let id_token = text(&tokens, "id_token");
    let (header, claims) = (part(&id_token, 0), part(&id_token, 1));
    assert_eq!(header, json!({ "typ": "JWT", "alg": "ES256", "kid": server.keys.current().id }));
    let now = 1_800_000_000;
    assert_eq!(
        claims,
        json!({
            "iss": "http://everkey.example", "aud": client.id, "sub": me.user_id, "iat": now, "exp": now + 3600,
            "auth_time": now, "nonce": "n-0S6_WzA2Mj", "email": "ada@example.com", "email_verified": true,
        })
    );
    let jwks = request("GET", "/jwks").send(server.address).await.json();
    let decode = |name: &str| URL_SAFE_NO_PAD.decode(jwks["keys"][0][name].as_str().unwrap()).unwrap();
    let point = [vec![4], decode("x"), decode("y")].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let (signed, signature) = id_token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.verify(signed.as_bytes(), &signature).unwrap();
    assert!(key.verify(format!("{signed}x").as_bytes(), &signature).is_err());
    // It is no access token.
    assert_eq!(introspected(&server, &id_token).await, 401);
    server.get("/v0/auth/me", &id_token).await.expect_error(401, "unauthorized");

    let quiet = text(&server.oauth_tokens(&me, &client, "openid").await, "id_token");
    assert!(part(&quiet, 1).get("email").is_none(), "the address needs its scope");
    let access = text(&server.oauth_tokens(&me, &client, "openid").await, "access_token");
    assert!(part(&access, 1).get("email").is_none(), "in the access token, too");
}

#[tokio::test]
async fn a_code_of_a_disabled_account_is_worth_nothing() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let code = server.code(&me, &client, "email").await;
    let mut database = connect(server.folder()).await;
    sqlx::query("UPDATE users SET status = 'disabled'").execute(&mut database).await.unwrap();
    server.exchange(&client, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
}

#[tokio::test]
async fn failures_and_exchanges_are_limited_by_address_and_consume_nothing() {
    let few = |max| Limit { max, window: Duration::from_secs(60) };
    let limits = everkey_server::limits::Limits {
        client_failures_per_ip: few(3),
        code_exchanges_per_ip: few(4),
        ..no_limits()
    };
    let server = start(Options { limits, ..Options::default() }).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let secret = server.secret_client("client_secret_post").await;
    let code = server.code(&me, &client, "email").await;
    for _ in 0..3 {
        let answer = server.exchange(&secret, &code, &[("client_secret", "wrong")]).await;
        answer.expect_oauth_error(401, "invalid_client");
    }
    let limited = server.exchange(&secret, &code, &[("client_secret", "wrong")]).await;
    limited.expect_oauth_error(429, "rate_limited");
    assert_eq!(
        (limited.text("code"), limited.json()["attempt_consumed"].clone()),
        ("rate_limited".into(), json!(false))
    );
    assert_eq!(limited.header("retry-after"), Some("60"));
    // Neighbours who have done nothing wrong go on, here and below.
    server.exchange(&client, &server.code(&me, &client, "email").await, &[]).await.expect(200);
    server.clock.advance(Duration::from_secs(60));

    let code = server.code(&me, &client, "email").await;
    for _ in 0..4 {
        server.exchange(&client, "unknown", &[]).await.expect_oauth_error(400, "invalid_grant");
    }
    server.exchange(&client, "unknown", &[]).await.expect_oauth_error(429, "rate_limited");
    server.exchange(&client, &code, &[]).await.expect(200);
}
