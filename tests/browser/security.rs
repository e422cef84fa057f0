//! The second factor: set up, asked for, spared in a remembered browser, turned off.

use crate::site::{Site, each_way};
use everkey_tests::ADA;
use std::process::Command;

/// What an authenticator app shows, by the few lines of RFC 6238 in another language; `ahead` steps from now.
fn app_shows(secret: &str, ahead: i32) -> String {
    let lines = "import base64, hmac, struct, sys, time
key = base64.b32decode(sys.argv[1] + '=' * (-len(sys.argv[1]) % 8))
digest = hmac.digest(key, struct.pack('>Q', int(time.time()) // 30 + int(sys.argv[2])), 'sha1')
place = digest[-1] & 15
print('%06d' % ((struct.unpack('>I', digest[place:place + 4])[0] & 0x7fffffff) % 1000000))";
    let output = Command::new("python3").args(["-c", lines, secret, &ahead.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Turns it on; returns the secret and the recovery codes.
fn turn_on(site: &mut Site) -> (String, Vec<String>) {
    site.goto("/dashboard/security");
    site.sign_in(ADA);
    site.arrives("/dashboard/security");
    site.check("security-off");
    site.browser.click("Set up a second factor");
    site.browser.shows("Set up a second factor");
    site.check("security-setup");
    let secret: String = site.browser.text_of("main code").split_whitespace().collect();
    site.browser.fill("Code that the app shows now", "000000");
    site.browser.click("Turn it on");
    site.browser.until("a refusal", |browser| browser.count("[role=alert]") == 1);
    site.browser.fill("Code that the app shows now", &app_shows(&secret, 0));
    site.browser.click("Turn it on");
    site.browser.shows("Your recovery codes");
    site.check("security-codes");
    let codes: Vec<_> = site.browser.text_of("ul.mono").split_whitespace().map(str::to_owned).collect();
    assert!(codes.len() >= 8, "{codes:?}");
    (secret, codes)
}

#[test]
fn a_second_factor_is_required_except_in_remembered_browsers() {
    each_way("a_second_factor_is_required_except_in_remembered_browsers", |site| {
        let (secret, codes) = turn_on(site);
        site.browser.click("I have kept them");
        site.browser.shows("Recovery codes");
        site.check("security-on");
        site.browser.click("Sign out");

        site.goto("/dashboard/security");
        site.sign_in(ADA);
        site.browser.shows("One more step");
        site.check("sign-in-second");
        site.goto("/dashboard/sessions");
        assert!(
            site.browser.url().contains("/signin"),
            "half a sign-in opens nothing: {}",
            site.browser.url()
        );
        site.browser.back();
        site.browser.fill("Code from your app", "000000");
        site.browser.click("Sign in");
        site.browser.until("a refusal", |browser| browser.count("[role=alert]") == 1);
        // The app's code of this moment was spent when it was set up; its next one is a step ahead.
        site.browser.fill("Code from your app", &app_shows(&secret, 1));
        site.browser.tick("Don't ask for this");
        site.browser.click("Sign in");
        site.go_on();
        site.arrives("/dashboard");

        site.browser.click("Sign out");
        site.goto("/dashboard/security");
        site.sign_in(ADA);
        site.arrives("/dashboard/security");
        site.browser.shows("Remembered browsers");
        site.check("security-remembered");
        site.browser.click_in("form[action$='/forget']", "button");
        site.browser.shows("That browser has to show the second factor again.");

        site.browser.forget();
        site.goto("/dashboard/security");
        site.sign_in(ADA);
        site.browser.shows("One more step");
        site.browser.fill("Code from your app", &codes[0]);
        site.browser.click("Sign in");
        site.go_on();
        site.arrives("/dashboard/security");

        site.browser.click("Turn off the second factor");
        site.browser.fill("Code from your app, or a recovery code", &codes[0]);
        site.browser.click("Turn it off");
        site.browser.shows("That code is wrong, or was used before.");
        site.check("security-refused");
        site.browser.fill("Code from your app, or a recovery code", &codes[1]);
        site.browser.click("Turn it off");
        site.browser.shows("The second factor is off.");
    });
}
