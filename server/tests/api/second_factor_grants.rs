//! What a second factor keeps closed to whoever lacks it, until the operator takes it away.

use serde_json::json;

use crate::kit::browser::Browser;
use crate::kit::device::{expect_oauth, field};
use crate::kit::oauth::{CHALLENGE, Client, VERIFIER};
use crate::kit::program::{database, expect_trouble, run};
use crate::kit::second_factor::{ADA, half_way, protected, second};
use crate::kit::server::{Options, Server};
use crate::kit::wire::Answer;

fn ask(client: &Client) -> String {
    format!(
        "/authorize?response_type=code&client_id={}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
         &code_challenge={CHALLENGE}&code_challenge_method=S256&state=s",
        client.id
    )
}

async fn allow(server: &Server, browser: &mut Browser, client: &Client) -> Answer {
    let ask = ask(client);
    browser.fill(server, &ask, &ask, &[("answer", "allow")]).await
}

/// Where a page sends a browser that has not finished signing in, whatever form it sends.
async fn expect_closed(server: &Server, browser: &mut Browser, page: &str, fields: &[(&str, &str)]) {
    let away = browser.get(server, page).await;
    let place = away.expect(303).header("location").unwrap();
    assert!(place.starts_with("/signin?next="), "{page}: {place}");
    let token = browser.token(server, "/signin/second").await;
    let mut all = vec![("csrf", token.as_str())];
    all.extend_from_slice(fields);
    browser.post(server, page, &all).await.expect(403);
}

#[tokio::test]
async fn only_a_browser_with_the_second_factor_approves_a_device() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let client = server.device_client("tool").await;
    let codes = server.device_codes(&client, "openid").await;
    let (device, user_code) = (field(&codes, "device_code"), field(&codes, "user_code"));
    let mut browser = half_way(&server, 2).await;
    expect_closed(&server, &mut browser, "/device", &[("code", &user_code)]).await;
    let token = browser.token(&server, "/signin/second").await;
    let decision = [("csrf", token.as_str()), ("grant", "x"), ("verdict", "approve")];
    browser.post(&server, "/device/decision", &decision).await.expect(403);
    expect_oauth(&server.device_poll(&client, &device).await, 400, "authorization_pending");

    let code = phone.next_code(&server);
    second(&server, &mut browser, &[("code", &code)]).await.expect(303);
    browser.decide(&server, &user_code, "approve").await;
    let tokens = server.device_poll(&client, &device).await;
    tokens.expect(200);
    server.get("/v0/auth/session", &tokens.text("access_token")).await.expect(200);
}

#[tokio::test]
async fn only_a_browser_with_the_second_factor_allows_a_client() {
    let (server, _, phone) = protected(Options::without_limits()).await;
    let client = server.public_client().await;
    let mut browser = half_way(&server, 2).await;
    expect_closed(&server, &mut browser, &ask(&client), &[("answer", "allow")]).await;
    assert_eq!(server.events("consent_given").await, 0);

    let code = phone.next_code(&server);
    second(&server, &mut browser, &[("code", &code)]).await.expect(303);
    let allowed = allow(&server, &mut browser, &client).await;
    let place = url::Url::parse(allowed.expect(303).header("location").unwrap()).unwrap();
    let value = |name: &str| place.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!((value("state").as_str(), value("iss").as_str()), ("s", "http://everkey.example"));
    let tokens = server.exchange(&client, &value("code"), &[("code_verifier", VERIFIER)]).await;
    tokens.expect(200);
    server.get("/userinfo", &tokens.text("access_token")).await.expect(200);
}

#[tokio::test]
async fn the_operator_takes_it_away_for_someone_who_lost_everything() {
    let (server, mut signed_in, phone) = protected(Options::without_limits()).await;
    let database = database(server.folder());
    let reset = async |email: &str| {
        run(&["users", "reset-second-factor", email, "--json", "--database", &database]).await
    };
    let mut stuck = half_way(&server, 2).await;
    expect_trouble(&reset("bob@example.com").await, "nobody has signed in as bob@example.com");
    let output = reset("ADA@example.com").await;
    assert!(output.status.success(), "{output:?}");
    let row: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row, json!({ "user": ADA, "second_factor": "off" }));
    expect_trouble(&reset(ADA).await, "ada@example.com has no second factor");
    assert_eq!(server.events("operator_changed").await, 1, "what was not done is not in the audit");

    // Neither the lost phone, nor a list of recovery codes that turns up again, is worth anything now.
    for proof in [phone.next_code(&server), phone.codes[0].clone()] {
        let answer = stuck.get(&server, "/signin/second").await;
        if answer.status == 200 {
            second(&server, &mut stuck, &[("code", &proof)]).await.expect(403);
        }
    }
    stuck.get(&server, "/dashboard/sessions").await.expect(303);
    let mut anew = Browser::new();
    let answer = anew.sign_in(&server, ADA, 3).await;
    assert_ne!(answer.header("location"), Some("/signin/second"));
    anew.get(&server, "/dashboard/sessions").await.expect(200);
    signed_in.get(&server, "/dashboard/sessions").await.expect(200);
}

#[tokio::test]
async fn an_unconfirmed_second_factor_can_not_be_reset() {
    let server = crate::kit::server::start(Options::without_limits()).await;
    let mut browser = crate::kit::browser::signed_in(&server, ADA).await;
    browser.fill(&server, "/dashboard/security", "/dashboard/security/setup", &[]).await.expect(303);
    let database = database(server.folder());
    let output = run(&["users", "reset-second-factor", ADA, "--database", &database]).await;
    expect_trouble(&output, "ada@example.com has no second factor");
    browser.get(&server, "/dashboard/security/setup").await.expect(200);
}
