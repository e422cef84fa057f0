//! The dashboard: sessions, profile and access tokens.

use crate::site::{Site, each_way};
use everkey_tests::ADA;

#[test]
fn every_session_is_listed_and_can_be_ended() {
    each_way("every_session_is_listed_and_can_be_ended", |site| {
        let first = site.server.sign_in(ADA);
        let (second, third) = (site.server.sign_in(ADA), site.server.sign_in(ADA));
        site.goto("/dashboard/sessions");
        site.sign_in(ADA);
        site.arrives("/dashboard/sessions");
        site.browser.shows("This browser");
        assert_eq!(site.browser.count("tbody tr"), 3);
        site.check("sessions");

        site.browser.click_in("tbody tr:last-child", "button");
        site.browser.until("two other sessions", |browser| browser.count("tbody tr") == 2);
        let works = [&first, &second, &third].map(|grant| site.server.me(&grant.access) == 200);
        assert_eq!(works.iter().filter(|works| **works).count(), 2, "one and no other has ended: {works:?}");

        site.browser.click("End all other sessions");
        site.check("sessions-end-all");
        site.browser.click("Yes, end them all");
        site.browser.shows("You are not signed in anywhere else");
        for grant in [&first, &second, &third] {
            assert_eq!(site.server.me(&grant.access), 401);
        }
        site.goto("/dashboard/sessions");
        site.browser.shows("This browser");
        site.check("sessions-alone");

        site.browser.click("Profile");
        site.browser.fill("Name", "Ada <b>Löwe</b>");
        site.browser.click("Save");
        site.browser.shows("Your profile was saved.");
        assert_eq!(site.browser.property("#name", "value"), "Ada <b>Löwe</b>");
        site.check("profile");
    });
}

/// What binboi's route says to a token.
fn whoami(site: &Site, token: &str) -> u16 {
    site.server.call("GET", "/api/v1/auth/me", Some(token), None).status()
}

#[test]
fn an_access_token_is_shown_once_and_can_be_revoked() {
    each_way("an_access_token_is_shown_once_and_can_be_revoked", |site| {
        site.goto("/dashboard/access-tokens");
        site.sign_in(ADA);
        site.arrives("/dashboard/access-tokens");
        site.check("access-tokens-none");
        site.browser.fill("Name", "The <b>build</b> machine & \"others\"");
        site.browser.click("Create token");
        site.browser.shows("Copy your new token");
        assert_eq!(site.browser.has("Copy"), site.scripts, "a button that could do nothing is not shown");
        let token = site.browser.property("#token", "value");
        assert!(token.starts_with("binboi_pat_"), "{token}");
        site.check("access-token-made");
        assert_eq!(whoami(site, &token), 200);

        site.browser.click("I have copied it");
        site.arrives("/dashboard/access-tokens");
        site.browser.shows("The <b>build</b> machine & \"others\"");
        let secret = token.rsplit('_').next().unwrap();
        assert!(!site.browser.source().contains(secret), "it is shown once");
        site.check("access-tokens");

        site.browser.click_in("tbody", "summary");
        site.check("access-tokens-revoking");
        site.browser.click("Yes, revoke it");
        site.browser.until("a revoked token", |browser| browser.count("tr.past") == 1);
        assert_eq!(whoami(site, &token), 401);
        site.check("access-tokens-revoked");
    });
}

#[test]
fn a_page_from_the_past_shows_no_token_again() {
    each_way("a_page_from_the_past_shows_no_token_again", |site| {
        site.goto("/dashboard/access-tokens");
        site.sign_in(ADA);
        site.browser.fill("Name", "mine");
        site.browser.click("Create token");
        site.browser.shows("Copy your new token");
        let token = site.browser.property("#token", "value");
        site.browser.click("I have copied it");
        site.arrives("/dashboard/access-tokens");
        site.browser.back();
        assert!(!site.browser.source().contains(&token), "the browser keeps no copy of the page");
        assert_eq!(whoami(site, &token), 200);
    });
}
