//! A report shown by a link, to somebody who has no account.

use crate::site::{Site, each_way};
use everkey_tests::ADA;
use serde_json::{Value, json};

fn make(site: &Site, token: &str, path: &str, body: &Value) -> Value {
    let answer = site.server.call("POST", path, Some(token), Some(body));
    assert_eq!(answer.status(), 201, "{}", answer.json());
    answer.json()
}

#[test]
fn a_link_shows_one_report_and_nothing_else() {
    each_way("a_link_shows_one_report_and_nothing_else", |site| {
        let ada = site.server.sign_in(ADA).access;
        let lab = make(site, &ada, "/v1/workspaces", &json!({ "name": "The secret lab" }));
        let home = format!("/v1/workspaces/{}/reports", lab["id"].as_str().unwrap());
        let text = "Figures of <b>autumn</b>\n\n  north   12\n  south    7\n\n".to_owned() + &"x".repeat(400);
        let shown = make(site, &ada, &home, &json!({ "title": "Autumn & <i>winter</i>", "body": text }));
        make(site, &ada, &home, &json!({ "title": "Another report", "body": "not for you" }));
        let shares = format!("{home}/{}/shares", shown["id"].as_str().unwrap());
        let share = make(site, &ada, &shares, &json!({ "expires_in_days": 7 }));

        site.browser.goto(share["url"].as_str().unwrap());
        site.browser.shows("Autumn & <i>winter</i>");
        site.browser.shows("Figures of <b>autumn</b>");
        site.check("share");
        let page = site.browser.source();
        for private in ["Another report", "The secret lab", ADA, "/dashboard", "<form", "csrf"] {
            assert!(!page.contains(private), "{private}: {page}");
        }
        assert_eq!(site.browser.cookies(), [""; 0], "a visitor is not marked");
        site.goto("/dashboard");
        site.arrives("/signin");

        let one = format!("{shares}/{}", share["id"].as_str().unwrap());
        assert_eq!(site.server.call("DELETE", &one, Some(&ada), None).status(), 204);
        site.browser.goto(share["url"].as_str().unwrap());
        site.browser.shows("This link shows nothing");
    });
}
