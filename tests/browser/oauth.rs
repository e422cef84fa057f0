//! The provider `oauth` against a server that nobody here wrote: signing in, staying so, signing out.

use crate::foreign::{Foreign, assert_failed};
use everkey_tests::browser::Chromium;
use everkey_tests::{http, until};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

#[test]
fn a_device_code_signs_in_and_everything_after_it_works() {
    let Some(server) = Foreign::start("a_device_code_signs_in_and_everything_after_it_works", "device")
    else {
        return;
    };
    let mut account = server.account();
    let step = account.login();
    assert_eq!(step["url"], server.at("/device"), "{step}");
    assert!(step["complete_url"].as_str().unwrap().contains(step["user_code"].as_str().unwrap()), "{step}");
    assert_eq!(account.request("whoami")["code"], "not_signed_in");
    server.decide(&step, true);
    let done = account.after(&step);
    assert_eq!((&done["reply"], &done["user"]), (&json!("done"), &json!({"id": "user-1", "email": ADA})));
    assert_eq!(account.token(), server.sessions()[0]["access"]);
    let registered = server.asked("/register");
    assert_eq!(registered.len(), 1, "{registered:?}");
    assert!(server.asked("/userinfo").is_empty(), "the id_token has said who it is");
    assert_eq!(account.request("whoami")["email"], ADA);
    let file = server.session().unwrap();
    assert_eq!((&file["version"], &file["access"]), (&json!(1), &server.sessions()[0]["access"]));
}

#[test]
fn without_an_id_token_userinfo_says_who_it_is() {
    let Some(server) = Foreign::start("without_an_id_token_userinfo_says_who_it_is", "device") else {
        return;
    };
    server.set(&json!({ "id_token": false }));
    let mut account = server.sign_in();
    assert_eq!(account.request("whoami")["email"], ADA);
    assert_eq!(server.asked("/userinfo").len(), 1);
}

#[test]
fn a_rotating_refresh_token_is_sent_once() {
    let test = "a_rotating_refresh_token_is_sent_once";
    let Some(server) = Foreign::start(test, "device") else { return };
    let mut account = server.sign_in();
    for turn in 1..=10 {
        account.refresh();
        let given = server.sessions().pop().unwrap();
        assert_eq!(account.token(), given["access"], "after {turn} refreshes");
        assert_eq!(server.session().unwrap()["refresh"], given["refresh"]);
        assert_eq!(account.request("whoami")["email"], ADA);
    }
    assert_eq!(server.refreshes(), 10);
    server.assert_no_replay();
}

#[test]
fn a_refresh_token_that_stays_is_kept_through_lost_answers() {
    let Some(server) = Foreign::start("a_refresh_token_that_stays_is_kept_through_lost_answers", "device")
    else {
        return;
    };
    server.set(&json!({ "rotate": false }));
    let mut account = server.sign_in();
    let refresh = server.session().unwrap()["refresh"].clone();
    account.refresh();
    assert_eq!(server.session().unwrap()["refresh"], refresh, "the answer has none, so the old one stays");
    assert_eq!(account.token(), server.sessions()[1]["access"]);
    // What it has learnt lets it ask again, though this answer looks like one that was lost.
    server.break_path("/token", "error");
    let failed = account.ask("refresh", &json!({ "force": true }));
    assert_eq!(failed["reply"], "error", "{failed}");
    server.set(&json!({ "fault": {} }));
    until("the refresh to succeed", || server.sessions().len() == 3);
    until("the new token", || account.token() == server.sessions()[2]["access"]);
    assert_eq!(server.session().unwrap()["refresh"], refresh);
}

#[test]
fn a_server_that_wants_a_secret_gets_one() {
    for auth in ["client_secret_basic", "client_secret_post"] {
        let Some(server) = Foreign::start("a_server_that_wants_a_secret_gets_one", "device") else { return };
        server.set(&json!({ "auth": [auth] }));
        let mut account = server.sign_in();
        account.refresh();
        let sent = server.asked("/token");
        assert!(sent.iter().all(|one| one["basic"] == (auth == "client_secret_basic")), "{auth}: {sent:?}");
        let logged_out = account.request("logout");
        assert_eq!(logged_out["revocation"], "revoked", "{auth}: {logged_out}");
    }
}

#[test]
fn signing_out_revokes_the_refresh_token() {
    let Some(server) = Foreign::start("signing_out_revokes_the_refresh_token", "device") else { return };
    let mut account = server.sign_in();
    let access = account.token();
    let logged_out = account.request("logout");
    assert_eq!(logged_out["revocation"], "revoked", "{logged_out}");
    assert_eq!(server.session(), None);
    assert_eq!(server.asked("/revoke")[0]["token_type_hint"], "refresh_token");
    assert!(server.sessions().iter().all(|one| one["revoked"] == true));
    let told = http::call(&server.at(""), "GET", "/userinfo", Some(&access), None);
    assert_eq!(told.status(), 401);
}

#[test]
fn metadata_is_found_at_the_place_of_rfc_8414() {
    let Some(server) = Foreign::start("metadata_is_found_at_the_place_of_rfc_8414", "device") else { return };
    server.set(&json!({ "place": "oauth-authorization-server" }));
    server.sign_in();
}

#[test]
fn an_issuers_trailing_slash_is_kept() {
    let Some(server) = Foreign::start("an_issuers_trailing_slash_is_kept", "device") else {
        return;
    };
    let issuer = server.at("/");
    server.set(&json!({ "metadata": { "issuer": issuer } }));
    assert_failed(&server.account().login(), "refused", "which is not the issuer");
    server.configure(&format!("issuer = \"{issuer}\"\nscheme = \"device\"\n"));
    server.world.stop_agent();
    let mut account = server.sign_in();
    account.refresh();
    assert_eq!(account.request("whoami")["email"], ADA);
}

/// The page that the agent wants opened.
fn page(step: &Value) -> &str {
    assert_eq!(step["reply"], "open", "{step}");
    step["url"].as_str().unwrap()
}

#[test]
fn a_real_browser_signs_in_and_comes_back() {
    let test = "a_real_browser_signs_in_and_comes_back";
    let Some(browser) = Chromium::start(test) else { return };
    let Some(server) = Foreign::start(test, "browser") else { return };
    let mut account = server.account();
    let step = account.login();
    browser.goto(page(&step));
    browser.shows("Allow everkey?");
    browser.click("Allow");
    let back = format!("http://127.0.0.1:{}/callback", step["port"]);
    browser.arrives(&back);
    browser.shows("You are signed in");
    let done = account.after(&step);
    assert_eq!(done["user"]["email"], ADA, "{done}");
    account.refresh();
    assert_eq!(account.request("whoami")["email"], ADA);
    server.assert_no_replay();
}

#[test]
fn denial_in_the_browser_ends_the_sign_in() {
    let test = "denial_in_the_browser_ends_the_sign_in";
    let Some(browser) = Chromium::start(test) else { return };
    let Some(server) = Foreign::start(test, "browser") else { return };
    let mut account = server.account();
    let step = account.login();
    browser.goto(page(&step));
    browser.click("Deny");
    browser.arrives("http://127.0.0.1:");
    assert_failed(&account.after(&step), "refused", "was denied");
    browser.until("the page to say so", |page| page.text().contains("was denied"));
    assert_eq!(server.session(), None);
}

#[test]
fn a_forged_callback_does_not_disturb_the_sign_in() {
    let test = "a_forged_callback_does_not_disturb_the_sign_in";
    let Some(browser) = Chromium::start(test) else { return };
    let Some(server) = Foreign::start(test, "browser") else { return };
    let mut account = server.account();
    let step = account.login();
    let here = format!("http://127.0.0.1:{}", step["port"]);
    for forged in
        ["", "?code=x", "?code=x&state=y", "?error=access_denied&state=y", "?code=x&state=y&state=z"]
    {
        let answer = http::call(&here, "GET", &format!("/callback{forged}"), None, None);
        assert!(answer.status() >= 400, "{forged}: {}", answer.start);
    }
    assert!(server.asked("/token").is_empty(), "nothing was exchanged");
    browser.goto(page(&step));
    browser.click("Allow");
    browser.shows("You are signed in");
    assert_eq!(account.after(&step)["user"]["email"], ADA);
}
