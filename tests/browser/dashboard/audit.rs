//! The re-audit page: the reminder, and the sign-in that it asks for.

use super::Desk;
use everkey_tests::browser::Chromium;
use everkey_tests::{ADA, Setup, until};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What the api-server and the agent's file say of it: in how many days, by each.
fn days(desk: &Desk) -> (Option<u64>, Option<u64>) {
    let away = |at: &Value| at.as_u64().map(|at| (at + DAY / 2 - now()) / DAY);
    let answer = desk.world.server.call("GET", "/v0/reminders", Some(&desk.world.token()), None).json();
    let file = std::fs::read_to_string(desk.world.auth_dir().join("next-audit.json")).unwrap_or_default();
    let file: Value = serde_json::from_str(&file).unwrap_or_default();
    (away(&answer["reminder"]["fire_at"]), away(&file["next_audit_at"]))
}

fn until_days(desk: &Desk, wanted: Option<u64>) {
    until(&format!("a reminder in {wanted:?} days"), || days(desk) == (wanted, wanted));
}

#[test]
fn a_reminder_needs_a_sign_in_and_can_be_edited() {
    let test = "a_reminder_needs_a_sign_in_and_can_be_edited";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.goto("/audit");
    desk.browser.shows("Sign in to see your reminder");
    desk.browser.mark();
    desk.check("audit-signed-out");
    desk.browser.click("Set a reminder");
    desk.browser.dialog_shows("Email address");
    desk.check("audit-sign-in");
    desk.browser.fill("Email address", "no address");
    desk.browser.click_in_dialog("Send the code");
    desk.browser.dialog_shows("not an email address");
    desk.browser.fill("Email address", ADA);
    desk.browser.click_in_dialog("Send the code");
    desk.browser.dialog_shows(&format!("We sent a code to {ADA}"));
    desk.check("audit-sign-in-code");

    let code = desk.world.server.code_after(ADA, 0);
    desk.browser.fill("Code", if code == "111111" { "111112" } else { "111111" });
    desk.browser.click_in_dialog("Sign in");
    desk.browser.until("the code to be refused", |browser| {
        browser.count("dialog[open] [role=alert]:not([hidden])") == 1
    });
    assert!(desk.world.session().is_none());
    desk.check("audit-wrong-code");
    desk.browser.fill("Code", &code);
    desk.browser.click_in_dialog("Sign in");
    desk.browser.dialog_shows(&format!("Signed in as {ADA}"));
    // It is set whether or not anybody goes on from here.
    until_days(&desk, Some(7));
    desk.browser.dialog_shows("The reminder is set.");
    desk.check("audit-signed-in");
    desk.browser.click_in_dialog("Done");
    desk.browser.no_dialog();

    desk.browser.shows("Next re-audit");
    desk.browser.shows("The api-server knows");
    desk.check("audit-reminder");
    desk.browser.script("document.getElementById('in-30').click()");
    desk.browser.click("Change the reminder");
    until_days(&desk, Some(30));
    desk.browser.shows("In 30 days, at ");
    // The script says it in the server's words, by days of the calendar as `dashboard/src/pages/clock.rs` counts them.
    let said = desk.browser.script_and_wait(
        "const done = arguments[0]; const at = (...parts) => new Date(2026, 10, ...parts).getTime() / 1000;
         import('/assets/time.js').then(({ ahead }) =>
           done([at(21, 23, 59), at(22, 0, 0), at(28, 11, 59), at(28, 12, 0)].map((one) => ahead(one, at(21, 12)))))",
    );
    let wanted = ["Today at 23:59", "Tomorrow at 00:00", "In 7 days, at 11:59", "In 7 days, at 12:00"];
    assert_eq!(said, json!(wanted));
    desk.browser.click("Clear it");
    desk.browser.shows("No reminder is set");
    until_days(&desk, None);
    assert!(desk.browser.is_marked(), "all of it without a reload");
    let page = desk.browser.source();
    for field in ["access_token", "refresh_token"] {
        assert!(!page.contains(&desk.world.session_text(field)), "a token is in the page");
    }
    desk.check_traffic("audit");
}

#[test]
fn replacing_an_unseen_reminder_is_reported() {
    let test = "replacing_an_unseen_reminder_is_reported";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.world.login();
    desk.world.everkey("reminder set --in-days 30").ok();
    until_days(&desk, Some(30));
    desk.world.everkey("auth logout").ok();
    desk.goto("/audit");
    desk.browser.shows("Sign in to see your reminder");
    assert!(!desk.browser.text().contains("No reminder"), "{}", desk.browser.text());
    desk.browser.click("Set a reminder");
    desk.sign_in();
    desk.browser.dialog_shows("The reminder is set, in place of the one for ");
    until_days(&desk, Some(7));
    desk.browser.click_in_dialog("Done");
    desk.browser.no_dialog();
    desk.browser.shows("in place of the one for ");
    desk.check_traffic("audit");
}

#[test]
fn a_day_can_be_chosen_and_shows_when_due() {
    let test = "a_day_can_be_chosen_and_shows_when_due";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.world.login();
    desk.goto("/audit");
    desk.browser.shows("No reminder is set");
    // No day at all is told, and nothing is set.
    desk.browser.script("document.getElementById('on-date').click()");
    desk.browser.click("Set a reminder");
    desk.browser.shows("Choose a day");
    assert_eq!(days(&desk), (None, None));
    desk.browser.script(
        "const day = document.getElementById('day'); day.value = day.max;
         day.dispatchEvent(new Event('input', { bubbles: true }))",
    );
    desk.browser.click("Set a reminder");
    desk.browser.shows("Next re-audit");
    until("a reminder in a year", || days(&desk).1.is_some_and(|days| (363..=365).contains(&days)));

    // Another tool writes one that was due an hour ago.
    let due = json!({ "next_audit_at": now() - 3600, "user_email": ADA, "set_at": now() - DAY });
    desk.world.put("home/.failproofai/next-audit.json", &due.to_string());
    desk.browser.shows("Your re-audit is due");
    desk.check("audit-due");
    desk.browser.click("Clear it");
    desk.browser.shows("No reminder is set");
    desk.check_traffic("audit");
}

/// The seconds that something in the dialog says are left.
fn seconds(browser: &Chromium, place: &str) -> Option<u64> {
    let text =
        browser.script(&format!("return document.querySelector('dialog[open] {place}')?.innerText ?? ''"));
    let words = text.as_str().unwrap_or_default().to_owned();
    words.split(|c: char| !c.is_ascii_digit()).find_map(|number| number.parse().ok())
}

#[test]
fn a_limit_is_shown_with_its_seconds_counting_down() {
    let test = "a_limit_is_shown_with_its_seconds_counting_down";
    let Some(mut desk) = Desk::open(test, Setup { real_limits: true, ..Setup::default() }) else { return };
    desk.goto("/audit");
    desk.browser.click("Set a reminder");
    desk.browser.dialog_shows("Email address");
    desk.browser.fill("Email address", ADA);
    desk.browser.click_in_dialog("Send the code");
    desk.browser.dialog_shows("We sent a code to");
    // The server takes no other wish for half a minute, and the page knows.
    let resend = "[data-slot=resend-wait]";
    let first = seconds(&desk.browser, resend).expect("the seconds until another code");
    assert!((1..=30).contains(&first), "{first}");
    desk.browser
        .until("a second to pass", |browser| seconds(browser, resend).is_some_and(|left| left < first));
    desk.browser.click_in_dialog("Use another address");
    desk.browser.dialog_shows("Email address");
    desk.browser.fill("Email address", ADA);
    desk.browser.click_in_dialog("Send the code");
    let alert = "[role=alert]:not([hidden])";
    desk.browser.until("the limit", |browser| seconds(browser, alert).is_some());
    let first = seconds(&desk.browser, alert).expect("seconds");
    assert!((1..=30).contains(&first), "{first}: {}", desk.browser.dialog());
    desk.browser
        .until("a second to pass", |browser| seconds(browser, alert).is_some_and(|left| left < first));
    let shut = desk.browser.text_of("dialog[open] button:disabled");
    assert!(shut.starts_with("Try again in"), "no use in asking now: {shut:?}");
    desk.check("audit-limit");
}
