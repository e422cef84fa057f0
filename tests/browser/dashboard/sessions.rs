//! The sessions: signing in and out, refreshing, the time that is left; in every window at once.

use super::Desk;
use everkey_tests::browser::Chromium;
use everkey_tests::server::IssuedTokens;
use everkey_tests::{Setup, until};

const FAILPROOFAI: &str = "failproofai";

/// The seconds that the first countdown shows.
fn left(browser: &Chromium) -> u64 {
    let text = browser.text_of(".counter");
    let parts: Vec<u64> = text.split(':').filter_map(|part| part.trim().parse().ok()).collect();
    parts.iter().fold(0, |all, part| all * 60 + part)
}

#[test]
fn sign_in_refresh_and_sign_out_reach_every_window() {
    let test = "sign_in_refresh_and_sign_out_reach_every_window";
    let Some(mut desk) = Desk::open(test, Setup { refresh_gap_ms: Some(1), ..Setup::default() }) else {
        return;
    };
    desk.browser.shows("Nobody is signed in.");
    let first = desk.browser.window();
    let second = desk.browser.open_window();
    desk.goto("/");
    desk.browser.shows("Nobody is signed in.");
    desk.browser.mark();
    desk.browser.turn_to(&first);
    desk.browser.mark();

    desk.browser.click_for(FAILPROOFAI, "Sign in");
    desk.sign_in_and_close();
    for window in [&first, &second] {
        desk.browser.turn_to(window);
        desk.browser.until("who is signed in", |browser| browser.has_for(FAILPROOFAI, "Sign out"));
        let before = left(&desk.browser);
        assert!((3500..=3600).contains(&before), "{before}");
        desk.browser.until("the countdown to go on", |browser| left(browser) < before);
    }
    desk.check_traffic("sessions");

    let token = desk.world.token();
    let before = left(&desk.browser);
    desk.browser.until("three seconds", |browser| left(browser) + 2 < before);
    let gate = desk.world.proxy.hold_refresh_answer();
    desk.browser.click_for(FAILPROOFAI, "Refresh now");
    gate.reached();
    desk.browser.script("document.dispatchEvent(new Event('visibilitychange'))");
    desk.browser.shows("refreshing now");
    assert!(desk.browser.has_for(FAILPROOFAI, "Refreshing…"), "the button says so until the answer is there");
    gate.open();
    until("another token", || desk.world.token() != token);
    desk.browser.until("the new expiry", |browser| left(browser) + 2 >= before);
    desk.browser.until("the button to be back", |browser| browser.has_for(FAILPROOFAI, "Refresh now"));

    desk.browser.click_for(FAILPROOFAI, "Sign out");
    desk.browser.dialog_shows("Sign out of failproofai?");
    desk.check("sessions-sign-out");
    desk.browser.click_in_dialog("Cancel");
    desk.browser.no_dialog();
    assert!(desk.world.session().is_some(), "who says no stays signed in");
    desk.browser.click_for(FAILPROOFAI, "Sign out");
    desk.browser.click_in_dialog("Sign out");
    until("the session's end", || desk.world.session().is_none());
    for window in [&second, &first] {
        desk.browser.turn_to(window);
        desk.browser.shows("Nobody is signed in.");
        assert!(desk.browser.has_for(FAILPROOFAI, "Sign in"), "{}", desk.browser.source());
        assert!(desk.browser.is_marked(), "without a reload");
    }
    desk.check_traffic("sessions");
}

#[test]
fn an_ended_session_is_reported_in_the_pages_words() {
    let test = "an_ended_session_is_reported_in_the_pages_words";
    let Some(mut desk) = Desk::open(test, Setup { refresh_gap_ms: Some(1), ..Setup::default() }) else {
        return;
    };
    desk.world.login();
    desk.browser.until("who is signed in", |browser| browser.has_for(FAILPROOFAI, "Refresh now"));
    let answer = desk.world.session().expect("a session");
    let field = |name: &str| desk.world.session_text(name);
    let (access, refresh) = (field("access_token"), field("refresh_token"));
    desk.world.server.end_session(&IssuedTokens { access, refresh, answer });
    desk.browser.click_for(FAILPROOFAI, "Refresh now");
    desk.browser.until("the words", |browser| browser.count("#toast:not([hidden])") == 1);
    let said = desk.browser.text_of("#toast-words");
    assert!(said.starts_with("Not signed in (the api-server has ended the session)."), "{said}");
    assert!(!said.contains("everkey auth"), "no command for whoever looks at a page: {said}");
    desk.check_traffic("sessions");
}

#[test]
fn a_terminal_sign_in_reaches_many_tabs() {
    let test = "a_terminal_sign_in_reaches_many_tabs";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    // Browsers open six connections to a host at most; a stream in each tab must not use them up.
    let windows: Vec<_> = std::iter::repeat_with(|| {
        let window = desk.browser.open_tab();
        desk.goto("/");
        desk.browser.shows("Nobody is signed in.");
        window
    })
    .take(8)
    .collect();
    desk.world.login();
    for window in [&windows[7], &windows[0]] {
        desk.browser.turn_to(window);
        desk.browser.until("who is signed in", |browser| browser.has_for(FAILPROOFAI, "Sign out"));
    }
    desk.check_traffic("sessions");
}
