//! An app asks for an account, and the person decides.

use crate::listener::Listener;
use crate::site::{Site, each_way};
use everkey_tests::ADA;
use serde_json::json;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn register(site: &Site) -> String {
    let wanted = json!({
        "client_name": "Ada's <i>tool</i>",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
    });
    let answer = site.server.call("POST", "/register", None, Some(&wanted));
    assert_eq!(answer.status(), 201, "{}", answer.json());
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

fn asked(client: &str, listener: &Listener) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client)
        .append_pair("redirect_uri", &listener.url())
        .append_pair("scope", "openid email")
        .append_pair("state", "a state & more")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .finish();
    format!("/authorize?{query}")
}

#[test]
fn an_app_gets_a_code_only_with_consent() {
    each_way("an_app_gets_a_code_only_with_consent", |site| {
        let (client, listener) = (register(site), Listener::open());
        site.goto(&asked(&client, &listener));
        site.arrives("/signin");
        site.sign_in(ADA);
        site.arrives("/authorize");
        site.browser.shows("Ada's <i>tool</i>");
        site.browser.shows(ADA);
        site.check("consent");
        site.browser.click("Allow");
        let answer = listener.answer();
        assert_eq!(answer["state"], "a state & more");
        assert_eq!(answer["iss"], site.server.url(), "RFC 9207");
        site.browser.arrives(&listener.url());
        site.check_traffic("consent");

        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &client)
            .append_pair("redirect_uri", &listener.url())
            .append_pair("code", &answer["code"])
            .append_pair("code_verifier", VERIFIER)
            .finish();
        let tokens = site.server.call_form("/token", &form);
        assert_eq!(tokens.status(), 200, "{}", tokens.json());
        assert_eq!(
            site.server.call_form("/token", &form).json()["error"],
            "invalid_grant",
            "a code works once"
        );
    });
}

#[test]
fn an_app_that_is_denied_learns_only_that() {
    each_way("an_app_that_is_denied_learns_only_that", |site| {
        let (client, listener) = (register(site), Listener::open());
        site.goto(&asked(&client, &listener));
        site.sign_in(ADA);
        site.arrives("/authorize");
        site.browser.click("Deny");
        let answer = listener.answer();
        assert_eq!((answer["error"].as_str(), answer.get("code")), ("access_denied", None));
        assert_eq!(answer["state"], "a state & more");
    });
}

#[test]
fn an_app_unlike_its_registration_learns_nothing() {
    each_way("an_app_unlike_its_registration_learns_nothing", |site| {
        let (client, listener) = (register(site), Listener::open());
        let lie = asked(&client, &listener).replace("%2Fcallback", "%2Felsewhere");
        site.goto("/dashboard/sessions");
        site.sign_in(ADA);
        site.arrives("/dashboard");
        site.goto(&lie);
        site.browser.shows("This link leads somewhere else");
        site.check("consent-elsewhere");
        site.goto(&asked("nobody", &listener));
        site.browser.shows("This app is not known here");
    });
}
