//! A device without a browser asks for an account; the person types its code.

use crate::site::{Site, each_way};
use everkey_tests::ADA;
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What `curl` would do.
pub fn ask(site: &Site) -> (String, Value) {
    let wanted = json!({
        "client_name": "Ada's television",
        "grant_types": [GRANT, "refresh_token"],
        "token_endpoint_auth_method": "none",
        "redirect_uris": [],
    });
    let client = site.server.call("POST", "/register", None, Some(&wanted));
    assert_eq!(client.status(), 201, "{}", client.json());
    let client = client.json()["client_id"].as_str().unwrap().to_owned();
    let grant = site.server.call_form("/device_authorization", &format!("client_id={client}&scope=email"));
    assert_eq!(grant.status(), 200, "{}", grant.json());
    (client, grant.json())
}

/// What the device is told when it asks whether it may.
pub fn poll(site: &Site, client: &str, grant: &Value) -> Value {
    let code = grant["device_code"].as_str().unwrap();
    let form = format!("grant_type={GRANT}&client_id={client}&device_code={code}");
    site.server.call_form("/token", &form).json()
}

#[test]
fn a_device_is_approved_by_typing_its_code() {
    each_way("a_device_is_approved_by_typing_its_code", |site| {
        let (client, grant) = ask(site);
        let address = grant["verification_uri_complete"].as_str().unwrap();
        site.browser.goto(address);
        site.arrives("/signin");
        site.sign_in(ADA);
        site.arrives("/device");
        assert_eq!(site.browser.value("Code"), "", "a code in the address is not filled in");
        assert_eq!(poll(site, &client, &grant)["error"], "authorization_pending", "nor approved on load");
        site.check("device");

        site.browser.fill("Code", "AAAA-AAAA");
        site.browser.click("Continue");
        site.browser.shows("code");
        assert!(site.browser.count("[role=alert]") == 1, "{}", site.browser.text());
        site.check("device-wrong-code");
        let typed = grant["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
        site.browser.fill("Code", &typed);
        site.browser.click("Continue");
        site.browser.shows("Ada's television");
        site.browser.shows("127.0.0.1");
        site.check("device-confirm");
        site.browser.click("Approve");
        site.browser.shows("Approved");
        site.check("device-approved");
    });
}

#[test]
fn a_device_that_is_denied_gets_nothing() {
    each_way("a_device_that_is_denied_gets_nothing", |site| {
        let (client, grant) = ask(site);
        site.goto("/device");
        site.sign_in(ADA);
        site.browser.fill("Code", grant["user_code"].as_str().unwrap());
        site.browser.click("Continue");
        site.browser.click("Deny");
        site.browser.shows("Denied");
        site.check("device-denied");
        assert_eq!(poll(site, &client, &grant)["error"], "access_denied");
    });
}

#[test]
fn the_addresses_that_other_tools_know_lead_there() {
    each_way("the_addresses_that_other_tools_know_lead_there", |site| {
        for (n, alias) in ["/cli/verify", "/cli-auth"].iter().enumerate() {
            site.goto(alias);
            if n == 0 {
                site.sign_in(ADA);
            }
            site.browser.shows("Sign a device in");
        }
    });
}
