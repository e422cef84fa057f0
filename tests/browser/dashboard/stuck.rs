//! An agent that is there and does not answer.

use super::Desk;
use everkey_tests::process::signal;
use everkey_tests::{ADA, Setup};
use rustix::process::Signal;

#[test]
fn a_stopped_agent_shows_in_card_and_header() {
    let test = "a_stopped_agent_shows_in_card_and_header";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.world.login();
    let pid = desk.world.agent_pid();
    desk.goto("/");
    desk.browser.shows(ADA);
    let footer = format!("Agent {}.", env!("CARGO_PKG_VERSION"));
    desk.browser.shows(&footer);
    signal(pid, Signal::STOP);
    desk.goto("/");
    desk.browser.shows("The agent does not answer");
    desk.browser.shows("Agent does not answer");
    assert!(!desk.browser.text().contains("Start the agent"));
    desk.check("sessions-stuck");
    desk.browser.mark();
    desk.browser.click("Look again");
    signal(pid, Signal::CONT);
    desk.browser.shows(ADA);
    desk.browser.shows("Agent running");
    desk.browser.shows(&footer);
    desk.world.kill_agent();
    desk.browser.shows("Agent not running");
    desk.browser.until("the version to go", |browser| !browser.text().contains(&footer));
    desk.browser.click("Start the agent");
    desk.browser.shows(&footer);
    desk.browser.shows("Agent running");
    assert!(desk.browser.is_marked(), "without a reload");
}
