//! Whoever has only a keyboard signs in and approves a device; the focus begins where the typing does.

use crate::device::{ask, poll};
use crate::site::each_way;
use everkey_tests::ADA;
use everkey_tests::browser::{ENTER, TAB};

#[test]
fn signing_in_and_approving_a_device_work_by_keyboard() {
    each_way("signing_in_and_approving_a_device_work_by_keyboard", |site| {
        let (client, grant) = ask(site);
        site.goto("/device");
        site.arrives("/signin");
        site.browser.shows("Sign in");
        site.browser.press(ADA);
        site.browser.press(ENTER);
        site.browser.shows("Type the code");
        site.browser.press(&site.server.code_after(ADA, 0));
        site.browser.press(TAB);
        assert_eq!(site.browser.focused(), "Sign in");
        site.browser.press(ENTER);
        site.go_on();

        site.arrives("/device");
        site.browser.shows("Sign a device in");
        site.browser.press(grant["user_code"].as_str().unwrap());
        site.browser.press(ENTER);
        site.browser.shows("Ada's television");
        assert_eq!(
            poll(site, &client, &grant)["error"],
            "authorization_pending",
            "Enter alone approves nothing"
        );
        let stops = std::iter::repeat_with(|| {
            site.browser.press(TAB);
            site.browser.focused()
        });
        let stops: Vec<_> = stops.take(8).take_while(|name| name != "Approve").collect();
        assert_eq!(
            stops,
            ["Skip to the content", "Sessions", "Access tokens", "Security", "Profile", "Sign out"],
            "the order of the page"
        );
        site.browser.press(ENTER);
        site.browser.shows("Approved");
    });
}
