//! The device grant at the token endpoint (RFC 8628 sections 3.4 and 3.5). Asking and approving are an action's here;
//! their own routes have their own tests.

use std::time::Duration;

use everkey_server::actions::device::{Decider, decide, request as ask};
use everkey_server::rules::address;
use everkey_server::rules::caller::NetworkCaller;
use everkey_server::rules::device::{Asker, DeviceDecision};
use everkey_server::secret::SecretText;
use serde_json::json;

use crate::kit::oauth::{Client, claims, fields};
use crate::kit::server::{Options, Server, SignedIn, start};
use crate::kit::wire::{Answer, request};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn device_client(server: &Server, grants: &[&str]) -> Client {
    server.client(&json!({ "grant_types": grants, "token_endpoint_auth_method": "none" })).await
}

async fn ask_for(server: &Server, client: &Client, scope: &str) -> (String, String) {
    let asker = Asker::Client { id: client.id.clone(), name: "tv".into(), scope: scope.into() };
    let here = address::NetworkAddress::find([192, 0, 2, 1].into(), std::iter::empty(), &[]);
    let asked = ask(&server.app, &asker, &NetworkCaller::new(here, None)).await.unwrap();
    (asked.device_code.expose().to_owned(), asked.user_code.expose().to_owned())
}

async fn judge(server: &Server, user: &SignedIn, user_code: &str, verdict: DeviceDecision) {
    let claims = server.app.access.read(&server.keys, &SecretText::new(user.access.clone())).unwrap();
    let code = everkey_server::tokens::device::UserCode::parse(&SecretText::new(user_code.into())).unwrap();
    let mut tx = server.store.begin().await.unwrap();
    let session = tx.session_for_update(&claims.sid).await.unwrap().unwrap();
    let grant = tx.device_grant_by_user_code(&code.hash(&server.app.keys.current())).await.unwrap().unwrap();
    drop(tx);
    let who = Decider { session: &session, proved_at: session.created_at };
    decide(&server.app, who, &grant.id, verdict).await.unwrap();
}

async fn poll(server: &Server, client: &Client, code: &str) -> Answer {
    let base = [("grant_type", DEVICE), ("device_code", code), ("client_id", client.id.as_str())];
    request("POST", "/token").form(&fields(&base, &[])).send(server.address).await
}

#[tokio::test]
async fn an_approved_device_fetches_its_tokens_once() {
    let server = start(Options::without_limits()).await;
    let me = server.sign_in().await;
    let client = device_client(&server, &[DEVICE, "refresh_token"]).await;
    let (code, user_code) = ask_for(&server, &client, "openid email").await;
    poll(&server, &client, &code).await.expect_oauth_error(400, "authorization_pending");
    poll(&server, &client, &code).await.expect_oauth_error(400, "slow_down");
    judge(&server, &me, &user_code, DeviceDecision::Approve).await;
    server.clock.advance(Duration::from_secs(10));
    let other = device_client(&server, &[DEVICE]).await;
    poll(&server, &other, &code).await.expect_oauth_error(400, "invalid_grant");
    let tokens = poll(&server, &client, &code).await;
    tokens.expect(200);
    assert_eq!(tokens.text("scope"), "openid email");
    let about = claims(&tokens.text("id_token"));
    assert!(
        about["aud"] == client.id.as_str()
            && about["auth_time"] == 1_800_000_000
            && about.get("nonce").is_none()
    );
    server.oauth_refresh(&client, &tokens.text("refresh_token"), &[]).await.expect(200);
    server.clock.advance(Duration::from_secs(10));
    poll(&server, &client, &code).await.expect_oauth_error(400, "invalid_grant");
    request("GET", "/userinfo").bearer(&tokens.text("access_token")).send(server.address).await.expect(200);
}

#[tokio::test]
async fn a_device_grant_gives_no_unregistered_refresh_token() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, device_client(&server, &[DEVICE]).await);
    let (code, user_code) = ask_for(&server, &client, "email").await;
    judge(&server, &me, &user_code, DeviceDecision::Approve).await;
    let tokens = poll(&server, &client, &code).await;
    tokens.expect(200);
    assert!(tokens.json().get("refresh_token").is_none() && tokens.json().get("id_token").is_none());
}

#[tokio::test]
async fn denied_lapsed_unknown_and_foreign_device_codes_say_so() {
    let server = start(Options::without_limits()).await;
    let (me, client) = (server.sign_in().await, device_client(&server, &[DEVICE]).await);
    let (denied, user_code) = ask_for(&server, &client, "email").await;
    judge(&server, &me, &user_code, DeviceDecision::Deny).await;
    poll(&server, &client, &denied).await.expect_oauth_error(400, "access_denied");
    poll(&server, &client, "unknown").await.expect_oauth_error(400, "invalid_grant");
    poll(&server, &client, "").await.expect_oauth_error(400, "invalid_request");
    let without = server.public_client().await;
    poll(&server, &without, &denied).await.expect_oauth_error(400, "unauthorized_client");
    let (late, _) = ask_for(&server, &client, "email").await;
    server.clock.advance(Duration::from_secs(600));
    poll(&server, &client, &late).await.expect_oauth_error(400, "expired_token");
}
