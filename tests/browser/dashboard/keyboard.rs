//! Whoever has only a keyboard: the order of the stops, the dialog, and where the focus is after it.

use super::Desk;
use everkey_tests::browser::{ENTER, ESCAPE, TAB};
use everkey_tests::{ADA, Setup, until};

/// What has the focus after each Tab, up to this.
fn stops(desk: &Desk, last: &str) -> Vec<String> {
    let mut stops = Vec::new();
    for _ in 0..25 {
        desk.browser.press(TAB);
        stops.push(desk.browser.focus_name());
        if stops.last().is_some_and(|name| name == last) {
            return stops;
        }
    }
    panic!("no way to {last:?} by Tab: {stops:?}");
}

#[test]
fn signing_in_and_setting_a_reminder_work_by_keyboard() {
    let test = "signing_in_and_setting_a_reminder_work_by_keyboard";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.goto("/audit");
    desk.browser.shows("Sign in to see your reminder");
    let mut order = stops(&desk, "Set a reminder");
    // The parts of a day are stops of their own.
    order.dedup();
    let wanted = [
        "Skip to the content",
        "Sessions",
        "Re-audit",
        "Access",
        "Activity",
        "In 7 days",
        "Day",
        "Set a reminder",
    ];
    assert_eq!(order, wanted, "the order of the page");
    desk.browser.press(ENTER);
    desk.browser.dialog_shows("Email address");
    assert_eq!(desk.browser.focus_name(), "Email address");
    desk.browser.press(ESCAPE);
    desk.browser.no_dialog();
    assert_eq!(desk.browser.focus_name(), "Set a reminder", "the focus goes back to where it came from");

    desk.browser.press(ENTER);
    desk.browser.dialog_shows("Email address");
    desk.browser.press(ADA);
    desk.browser.press(ENTER);
    desk.browser.dialog_shows("We sent a code to");
    assert_eq!(desk.browser.focus_name(), "Code");
    // Tab stays within the dialog, the browser's own bar aside.
    for _ in 0..8 {
        desk.browser.press(TAB);
        let inside =
            "const at = document.activeElement; return at === document.body || !!at.closest('dialog[open]')";
        assert_eq!(
            desk.browser.script(inside),
            true,
            "the focus left the dialog: {}",
            desk.browser.focus_name()
        );
    }
    desk.browser.script("document.getElementById('answer').focus()");
    desk.browser.press(&desk.world.server.code_after(ADA, 0));
    desk.browser.press(ENTER);
    desk.browser.dialog_shows("Signed in as");
    assert_eq!(desk.browser.focus_name(), "Done");
    desk.browser.press(ENTER);
    desk.browser.no_dialog();
    desk.browser.shows("Next re-audit");
    until("the focus on the form", || desk.browser.focus_name() == "Change the reminder");
    assert_eq!(stops(&desk, "Clear it"), ["Clear it"]);
    desk.browser.press(ENTER);
    desk.browser.shows("No reminder is set");
    until("the focus on the form", || desk.browser.focus_name() == "Set a reminder");

    desk.goto("/");
    desk.browser.shows(ADA);
    let order = stops(&desk, "Sign out");
    assert!(order.ends_with(&["Refresh now".to_owned(), "Sign out".to_owned()]), "{order:?}");
    desk.browser.press(ENTER);
    desk.browser.dialog_shows("Sign out of failproofai?");
    assert_eq!(desk.browser.focus_name(), "Cancel", "Enter alone ends nothing");
    desk.browser.press(ESCAPE);
    desk.browser.no_dialog();
    assert_eq!(desk.browser.focus_name(), "Sign out");
    assert!(desk.world.session().is_some());
    desk.check_traffic("keyboard");
}
