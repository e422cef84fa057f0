//! What was approved but not fetched yet, and what rested on a membership, ends with what it rested on.

use std::time::Duration;

use serde_json::json;

use crate::kit::achilles::{self, cli};
use crate::kit::browser::{Browser, signed_in};
use crate::kit::device::{expect_oauth, field};
use crate::kit::server::{Options, start};
use crate::kit::team::{call, cast, join, make};

const ADA: &str = "ada@example.com";
const PAGE: &str = "/dashboard/sessions";

#[tokio::test]
async fn ending_all_others_ends_unfetched_grants() {
    let server = start(Options::without_limits()).await;
    let (device, app) = (server.device_client("a tool").await, server.public_client().await);
    let mut browser = signed_in(&server, ADA).await;
    let codes = server.device_codes(&device, "email").await;
    let (cli_device, cli_user) = achilles::begin(&server).await;
    browser.decide(&server, &field(&codes, "user_code"), "approve").await;
    browser.decide(&server, &cli_user, "approve").await;
    let me = server.sign_in_as(ADA, 2).await;
    let code = server.code(&me, &app, "email").await;

    browser.fill(&server, PAGE, "/dashboard/sessions/end-others", &[]).await.expect(303);
    expect_oauth(&server.device_poll(&device, &field(&codes, "device_code")).await, 400, "access_denied");
    achilles::expect_failure(&achilles::poll(&server, &cli_device).await, 410);
    server.exchange(&app, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
    assert_eq!(server.events("login").await, 2, "the browser's and the program's");

    // What is approved afterwards is fetched, and nobody else's approvals were touched.
    let codes = server.device_codes(&device, "email").await;
    browser.decide(&server, &field(&codes, "user_code"), "approve").await;
    server.device_poll(&device, &field(&codes, "device_code")).await.expect(200);
}

#[tokio::test]
async fn a_replay_ends_this_users_unfetched_grants() {
    let server = start(Options::without_limits()).await;
    let (device, app) = (server.device_client("a tool").await, server.public_client().await);
    let mut browser = signed_in(&server, ADA).await;
    let mut bob = Browser::new();
    bob.sign_in(&server, "bob@example.com", 2).await;
    let me = server.sign_in_as(ADA, 3).await;
    let (hers, his) =
        (server.device_codes(&device, "email").await, server.device_codes(&device, "email").await);
    browser.decide(&server, &field(&hers, "user_code"), "approve").await;
    bob.decide(&server, &field(&his, "user_code"), "approve").await;
    let code = server.code(&me, &app, "email").await;

    let refresh = json!({ "refresh_token": me.refresh });
    server.post("/v0/auth/token/refresh", &refresh).await.expect(200);
    server.post("/v0/auth/token/refresh", &refresh).await.expect_error(401, "invalid_grant");
    expect_oauth(&server.device_poll(&device, &field(&hers, "device_code")).await, 400, "access_denied");
    server.exchange(&app, &code, &[]).await.expect_oauth_error(400, "invalid_grant");
    server.device_poll(&device, &field(&his, "device_code")).await.expect(200);
}

#[tokio::test]
async fn the_role_in_achilles_follows_the_one_in_the_workspace() {
    let cast = cast().await;
    let server = &cast.server;
    let mut browser = Browser::new();
    browser.sign_in(server, "admin@example.com", 5).await;
    let data = cli(server, &mut browser).await;
    assert_eq!(data["role"], "admin");
    let member = format!("{}/members/{}", cast.home, cast.admin.user_id);
    call(server, "PUT", &member, &cast.owner.access, Some(json!({ "role": "member" }))).await.expect(204);

    let me = server.get(achilles::ME, &field(&data, "access_token")).await;
    assert_eq!(me.expect(200).json()["data"]["role"], "analyst");
    server.clock.advance(Duration::from_secs(3000));
    let rotated = achilles::refresh(server, &field(&data, "refresh_token"), None).await;
    let rotated = rotated.expect(200).json()["data"].clone();
    assert_eq!(achilles::claims(&field(&rotated, "access_token"))["role"], "analyst");
}

#[tokio::test]
async fn who_leaves_a_workspace_leaves_it_in_achilles_too() {
    let cast = cast().await;
    let server = &cast.server;
    let mut browser = Browser::new();
    browser.sign_in(server, "admin@example.com", 5).await;
    let data = cli(server, &mut browser).await;
    // An own workspace is another organisation: this sign-in was approved for the first.
    let own = make(server, &cast.admin).await;
    join(server, &own, &cast.admin, &cast.owner, "owner@example.com", "member").await;
    let member = format!("{}/members/{}", cast.home, cast.admin.user_id);
    call(server, "DELETE", &member, &cast.owner.access, None).await.expect(204);

    assert_eq!(server.get(achilles::ME, &field(&data, "access_token")).await.status, 302);
    assert_eq!(server.get(achilles::METRICS, &field(&data, "access_token")).await.status, 302);
    let refused = achilles::refresh(server, &field(&data, "refresh_token"), None).await;
    achilles::expect_failure(&refused, 401);
    let again = cli(server, &mut browser).await;
    assert!(own.contains(&field(&again, "org_id")), "{again} {own}");
    server.get(achilles::ME, &field(&again, "access_token")).await.expect(200);
}
