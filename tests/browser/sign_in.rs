//! Signing in by email code, and out again.

use crate::site::{Site, each_way};
use everkey_tests::{ADA, Setup};

#[test]
fn a_person_signs_in_with_the_code_and_out_again() {
    each_way("a_person_signs_in_with_the_code_and_out_again", |site| {
        site.goto("/dashboard");
        let at = site.arrives("/signin");
        assert!(at.contains("next="), "{at}");
        site.check("sign-in");
        site.browser.fill("Email address", ADA);
        site.browser.click("Send the code");
        site.browser.shows("Type the code");
        site.check("sign-in-code");
        let code = site.server.code_after(ADA, 0);
        site.browser.fill("Code", if code == "111111" { "111112" } else { "111111" });
        site.browser.click("Sign in");
        site.browser.shows("wrong");
        site.check("sign-in-wrong-code");
        site.browser.fill("Code", &code);
        site.browser.click("Sign in");
        site.go_on();
        site.arrives("/dashboard");
        site.browser.shows(ADA);
        let secrets = site.browser.script("return document.cookie");
        assert_eq!(secrets, "", "scripts can't read the cookie");
        site.browser.click("Sign out");
        site.browser.shows("Sign in");
        site.goto("/dashboard/sessions");
        site.arrives("/signin");
    });
}

#[test]
fn a_limit_is_explained() {
    let test = "a_limit_is_explained";
    let Some(mut site) = Site::open(test, &Setup { real_limits: true, ..Setup::default() }) else { return };
    for _ in 0..2 {
        site.goto("/signin");
        site.browser.fill("Email address", ADA);
        site.browser.click("Send the code");
    }
    site.browser.shows("too often");
    site.browser.shows("second");
    assert_eq!(site.browser.value("Email address"), ADA, "nobody has to type it again");
    site.check("sign-in-limit");
}

#[test]
fn where_there_is_nothing_says_so() {
    let Some(mut site) = Site::open("where_there_is_nothing_says_so", &Setup::default()) else { return };
    site.goto("/nowhere");
    site.browser.shows("There is no such page");
    site.check("error-not-found");
    site.goto("/s/nothing");
    site.check("share-gone");
}

#[test]
fn nobody_is_sent_to_another_site() {
    let Some(site) = Site::open("nobody_is_sent_to_another_site", &Setup::default()) else { return };
    for (n, next) in
        ["//example.com", "https://example.com/", "/\\example.com", "%2f%2fexample.com"].iter().enumerate()
    {
        site.goto(&format!("/signin?next={next}"));
        site.sign_in(&format!("ada{n}@example.com"));
        site.arrives("/dashboard");
        site.browser.forget();
    }
}
