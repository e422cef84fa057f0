//! The sign-in dialog: second factors, and the sign-ins of others.

use super::Desk;
use everkey_tests::{ADA, Person, Setup};

const FAILPROOFAI: &str = "failproofai";

#[test]
fn a_second_factor_is_asked_for_in_the_dialog() {
    let test = "a_second_factor_is_asked_for_in_the_dialog";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    let phone = Person::sign_in(&desk.world.server, ADA).protect();
    desk.browser.click_for(FAILPROOFAI, "Sign in");
    desk.enter_code();
    desk.browser.dialog_shows("Second factor");
    desk.check("sign-in-second-factor");
    desk.browser.fill("Second factor", "000000");
    desk.browser.click_in_dialog("Sign in");
    desk.browser.dialog_shows("4 tries left");
    desk.browser.fill("Second factor", &phone.next_code());
    desk.browser.click_in_dialog("Sign in");
    desk.browser.dialog_shows(&format!("Signed in as {ADA}"));
    desk.check_traffic("sign-in");
}

#[test]
fn the_dialog_says_whose_sign_in_is_under_way() {
    let test = "the_dialog_says_whose_sign_in_is_under_way";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    let mut carl = desk.world.start("login --json carl@example.com");
    assert_eq!(carl.json()["field"], "code");
    desk.browser.click_for(FAILPROOFAI, "Sign in");
    desk.browser.dialog_shows("A sign-in for carl@example.com");
    desk.check("sign-in-under-way");
    desk.browser.click_in_dialog("Begin anew");
    assert_eq!(carl.json()["code"], "cancelled", "Carl is told at once");
    carl.finish().exits(2);
    desk.browser.dialog_shows("Email address");
    desk.browser.fill("Email address", ADA);
    desk.browser.click_in_dialog("Send the code");
    desk.browser.dialog_shows("We sent a code to");

    // Somebody at a terminal takes its place: the dialog says so though nobody clicks.
    let mut dora = desk.world.start("login --json --new dora@example.com");
    assert_eq!(dora.json()["field"], "code");
    desk.browser.dialog_shows("in place of this one");
    desk.browser.click_in_dialog("Try again");
    desk.browser.dialog_shows("A sign-in for dora@example.com");
    desk.browser.click_in_dialog("Go on with it");
    desk.browser.dialog_shows("We sent a code to");
    desk.browser.fill("Code", &desk.world.server.code_after("dora@example.com", 0));
    desk.browser.click_in_dialog("Sign in");
    desk.browser.dialog_shows("Signed in as dora@example.com");
    assert_eq!(dora.json()["type"], "done");
    dora.finish().ok();
    desk.check_traffic("sign-in");
}
