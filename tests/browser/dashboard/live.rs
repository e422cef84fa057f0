//! Who asked for tokens, and what happens, as it happens.

use super::Desk;
use everkey_tests::{Account, Setup};

#[test]
fn what_happens_is_on_the_pages_at_once() {
    let Some(mut desk) = Desk::open("what_happens_is_on_the_pages_at_once", Setup::default()) else { return };
    let first = desk.browser.window();
    desk.goto("/activity");
    desk.browser.shows("Nothing has happened");
    desk.check("activity-empty");
    let second = desk.browser.open_window();
    desk.goto("/access");
    desk.browser.shows("No program has asked");
    desk.check("access-empty");
    for window in [&first, &second] {
        desk.browser.turn_to(window);
        desk.browser.mark();
    }

    desk.world.login();
    desk.browser.turn_to(&first);
    desk.browser
        .until("the sign-in", |browser| browser.text_of("#region").to_lowercase().contains("signed in"));
    let before = desk.browser.count(".feed li");
    Account::of(&desk.world, "failproofai").refresh();
    desk.browser.until("the refresh", |browser| browser.count(".feed li") > before);
    assert!(desk.browser.text_of(".feed li").to_lowercase().contains("refreshed"), "the newest comes first");
    assert_eq!(desk.browser.count(".timeline .refreshed"), 1, "and is on the session's line");

    // Whoever reads may stop it.
    desk.browser.click("Pause");
    let (before, _) = (desk.browser.count(".feed li"), desk.world.token());
    desk.browser.turn_to(&second);
    desk.browser.shows("everkey");
    desk.browser.until("who asked", |browser| browser.count("tbody tr") == 1);
    desk.check("access-one");
    desk.browser.turn_to(&first);
    desk.browser.shows("One new");
    assert_eq!(desk.browser.count(".feed li"), before);
    desk.browser.click("Go on");
    desk.browser.until("what was missed", |browser| browser.count(".feed li") > before);

    desk.browser.turn_to(&second);
    desk.browser.fill("Program", "no such program");
    desk.browser.shows("Nothing matches");
    assert!(desk.browser.url().contains("program=no"), "{}", desk.browser.url());
    desk.browser.fill("Program", "everkey");
    desk.browser.until("who asked", |browser| browser.count("tbody tr") == 1);
    for window in [&first, &second] {
        desk.browser.turn_to(window);
        assert!(desk.browser.is_marked(), "all of it without a reload");
    }
    let page = desk.browser.source();
    assert!(!page.contains(&desk.world.session_text("access_token")));
    desk.check_traffic("live");
}
