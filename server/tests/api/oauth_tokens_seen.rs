//! Who may look at tokens, who may revoke them, and what they tell of their user.

use std::time::Duration;

use serde_json::json;

use crate::kit::oauth::{Client, fields, text};
use crate::kit::server::{Options, Server, start};
use crate::kit::wire::{Answer, request};

async fn post(server: &Server, path: &str, client: &Client, change: &[(&str, &str)]) -> Answer {
    let base =
        [("client_id", client.id.as_str()), ("client_secret", client.secret.as_deref().unwrap_or("-"))];
    request("POST", path).form(&fields(&base, change)).send(server.address).await
}

async fn is_active(server: &Server, client: &Client, token: &str) -> bool {
    let answer = post(server, "/introspect", client, &[("token", token)]).await;
    answer.expect(200);
    let view = answer.json();
    if view["active"] == false {
        assert_eq!(view, json!({ "active": false }), "nothing else is told");
    }
    view["active"] == true
}

#[tokio::test]
async fn a_client_sees_its_own_tokens_and_nobody_elses() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let (mine, other) =
        (server.secret_client("client_secret_post").await, server.secret_client("client_secret_post").await);
    let public = server.public_client().await;
    let tokens = server.oauth_tokens(&me, &mine, "openid email").await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let seen =
        post(&server, "/introspect", &mine, &[("token", &access), ("token_type_hint", "access_token")]).await;
    let now = 1_800_000_000;
    assert_eq!(
        seen.json(),
        json!({
            "active": true, "iss": "http://everkey.example", "sub": me.user_id, "client_id": mine.id,
            "scope": "openid email", "token_type": "Bearer", "exp": now + 3600, "iat": now,
        })
    );
    assert!(is_active(&server, &mine, &refresh).await);
    for token in
        [access.as_str(), &refresh, &me.access, &me.refresh, &text(&tokens, "id_token"), "x", "a.b.c"]
    {
        assert!(!is_active(&server, &other, token).await);
    }
    for token in [&me.access, &me.refresh] {
        assert!(!is_active(&server, &mine, token).await);
    }
    let answer = post(&server, "/introspect", &public, &[("token", &access)]).await;
    answer.expect_oauth_error(401, "invalid_client");
    post(&server, "/introspect", &mine, &[]).await.expect_oauth_error(400, "invalid_request");
    let wrong = [("token", access.as_str()), ("client_secret", "wrong")];
    post(&server, "/introspect", &mine, &wrong).await.expect_oauth_error(401, "invalid_client");

    server.store.begin().await.unwrap().let_introspect(&other.id, true).await.unwrap();
    assert!(!is_active(&server, &other, &access).await, "what is not committed does not count");
    let mut tx = server.store.begin().await.unwrap();
    assert!(tx.let_introspect(&other.id, true).await.unwrap());
    assert!(!tx.let_introspect(&public.id, true).await.unwrap(), "a public client proves nothing");
    tx.commit().await.unwrap();
    assert!(is_active(&server, &other, &access).await);
    for token in [&refresh, &me.access] {
        assert!(
            !is_active(&server, &other, token).await,
            "a resource server sees access tokens of clients only"
        );
    }
}

#[tokio::test]
async fn what_works_no_more_is_not_active() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.secret_client("client_secret_post").await);
    let first = server.oauth_tokens(&me, &client, "email").await;
    let (access, refresh) = (text(&first, "access_token"), text(&first, "refresh_token"));
    let second = server.oauth_refresh(&client, &refresh, &[]).await;
    assert!(!is_active(&server, &client, &refresh).await, "it was used");
    assert!(is_active(&server, &client, &second.text("refresh_token")).await);
    server.clock.advance(Duration::from_secs(3600));
    assert!(!is_active(&server, &client, &access).await);
    server.clock.advance(Duration::from_secs(2_592_000));
    assert!(!is_active(&server, &client, &second.text("refresh_token")).await);
}

#[tokio::test]
async fn looking_at_a_refresh_token_does_not_count_as_using_it() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.secret_client("client_secret_post").await);
    let old = text(&server.oauth_tokens(&me, &client, "email").await, "refresh_token");
    let send = async || {
        let request = crate::kit::oauth::oauth_refresh(&client, &old, &[]);
        request.header("idempotency-key", &"ab".repeat(32)).send(server.address).await
    };
    let first = send().await;
    assert!(is_active(&server, &client, &first.text("refresh_token")).await);
    assert_eq!(send().await.text("refresh_token"), first.text("refresh_token"));
}

#[tokio::test]
async fn either_token_revokes_its_session_and_no_other() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let stays = text(&server.oauth_tokens(&me, &client, "email").await, "access_token");
    for which in ["access_token", "refresh_token"] {
        let tokens = server.oauth_tokens(&me, &client, "email").await;
        let hint = [("token", tokens[which].as_str().unwrap()), ("token_type_hint", "nonsense")];
        for _ in 0..2 {
            post(&server, "/revoke", &client, &hint).await.expect(200);
        }
        let seen =
            request("GET", "/userinfo").bearer(&text(&tokens, "access_token")).send(server.address).await;
        seen.expect_oauth_error(401, "invalid_token");
        let answer = server.oauth_refresh(&client, &text(&tokens, "refresh_token"), &[]).await;
        answer.expect_oauth_error(400, "invalid_grant");
    }
    // An expired access token still names its session.
    let tokens = server.oauth_tokens(&me, &client, "email").await;
    server.clock.advance(Duration::from_secs(3601));
    post(&server, "/revoke", &client, &[("token", &text(&tokens, "access_token"))]).await.expect(200);
    let answer = server.oauth_refresh(&client, &text(&tokens, "refresh_token"), &[]).await;
    answer.expect_oauth_error(400, "invalid_grant");
    assert_eq!((server.events("logout").await, server.events("replay_revoked_all").await), (3, 0));
    server.get("/v0/auth/session", &stays).await.expect(200);
}

#[tokio::test]
async fn a_client_revokes_its_own_only_and_is_not_told() {
    let server = start(Options::without_limits()).await;
    let (me, mine) = (server.sign_in().await, server.public_client().await);
    let (other, secret) = (server.public_client().await, server.secret_client("client_secret_basic").await);
    let tokens = server.oauth_tokens(&me, &mine, "email").await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    for token in [access.as_str(), &refresh, &me.access, &me.refresh, "unknown", "a.b.c"] {
        let answer = post(&server, "/revoke", &other, &[("token", token)]).await;
        answer.expect(200);
        assert_eq!(answer.body, "");
    }
    post(&server, "/revoke", &other, &[]).await.expect_oauth_error(400, "invalid_request");
    let unproved = Client { secret: None, ..secret };
    post(&server, "/revoke", &unproved, &[("token", &access)])
        .await
        .expect_oauth_error(401, "invalid_client");
    let nobody = Client { id: "nobody".to_owned(), secret: None };
    post(&server, "/revoke", &nobody, &[("token", &access)]).await.expect_oauth_error(401, "invalid_client");
    request("GET", "/userinfo").bearer(&access).send(server.address).await.expect(200);
    server.get("/v0/auth/me", &me.access).await.expect(200);
    server.oauth_refresh(&mine, &refresh, &[]).await.expect(200);
}

#[tokio::test]
async fn userinfo_answers_by_scope_and_refuses_with_metadata() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, server.public_client().await);
    let secret = server.secret_client("client_secret_post").await;
    for (scope, known) in [
        ("openid", json!({ "sub": me.user_id })),
        ("profile", json!({ "sub": me.user_id })),
        ("openid email", json!({ "sub": me.user_id, "email": "ada@example.com", "email_verified": true })),
    ] {
        let access = text(&server.oauth_tokens(&me, &client, scope).await, "access_token");
        for method in ["GET", "POST"] {
            let answer = request(method, "/userinfo").bearer(&access).send(server.address).await;
            answer.expect(200);
            assert_eq!(answer.json(), known);
        }
    }
    let tokens = server.oauth_tokens(&me, &secret, "openid").await;
    let refused = async |request: crate::kit::wire::Request| {
        let answer = request.send(server.address).await;
        answer.expect_oauth_error(401, "invalid_token");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(
                "Bearer error=\"invalid_token\", \
                 resource_metadata=\"http://everkey.example/.well-known/oauth-protected-resource\""
            )
        );
    };
    let get = || request("GET", "/userinfo");
    refused(get()).await;
    refused(get().bearer("nonsense")).await;
    refused(get().bearer(&me.access)).await;
    refused(get().bearer(&text(&tokens, "refresh_token"))).await;
    refused(get().bearer(&text(&tokens, "id_token"))).await;
    refused(get().bearer(&"x".repeat(5000))).await;
    let access = text(&tokens, "access_token");
    refused(get().bearer(&access).bearer(&access)).await;
    server.clock.advance(Duration::from_secs(3600));
    refused(get().bearer(&access)).await;
}

#[tokio::test]
async fn a_session_without_refresh_token_is_listed_until_it_lapses() {
    let server = start(Options::without_limits()).await;
    let mut browser = crate::kit::browser::signed_in(&server, "ada@example.com").await;
    let me = server.sign_in_as("ada@example.com", 2).await;
    let metadata = json!({
        "redirect_uris": [crate::kit::oauth::REDIRECT], "token_endpoint_auth_method": "none", "client_name": "dot-ai <1>",
    });
    let client = server.client(&metadata).await;
    let sessions = async |browser: &mut crate::kit::browser::Browser| {
        browser.get(&server, "/dashboard/sessions").await.expect(200).body.matches("dot-ai").count()
    };
    let long = async |expiry: &str| {
        let code = server.code(&me, &client, "email").await;
        let tokens = server.exchange(&client, &code, &[("requested_expiry", expiry)]).await;
        tokens.expect(200);
        tokens.text("access_token")
    };
    let token = long("2592000").await;
    assert!(sessions(&mut browser).await > 0);
    assert!(!browser.get(&server, "/dashboard/sessions").await.body.contains("<1>"));
    long("60").await;
    server.clock.advance(Duration::from_secs(60));
    let claims = crate::kit::oauth::claims(&token);
    let one = [("session", claims["sid"].as_str().unwrap())];
    let form = "/dashboard/sessions/end";
    browser.fill(&server, "/dashboard/sessions", form, &one).await.expect(303);
    let seen = request("GET", "/userinfo").bearer(&token).send(server.address).await;
    seen.expect_oauth_error(401, "invalid_token");
    assert_eq!(sessions(&mut browser).await, 0, "one was ended, the other lapsed");
}
