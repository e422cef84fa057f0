//! What is not there: the agent, the api-server, the dashboard itself. The page says so, and comes back by itself.

use super::Desk;
use everkey_tests::{ADA, Setup};
use std::time::{Duration, Instant};

/// After it the dashboard looks every three seconds whether the agent is back.
const SELDOM: Duration = Duration::from_secs(4);

#[test]
fn a_gone_agent_and_its_return_show_without_reload() {
    let test = "a_gone_agent_and_its_return_show_without_reload";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.world.login();
    desk.browser.shows(ADA);
    desk.browser.mark();
    desk.world.kill_agent();
    desk.browser.shows("The agent is not running");
    desk.browser.shows("Agent not running");
    desk.check("sessions-no-agent");
    desk.world.everkey("agent start").ok();
    desk.browser.shows(ADA);
    desk.world.kill_agent();
    desk.browser.shows("The agent is not running");
    desk.browser.click("Start the agent");
    desk.browser.shows(ADA);
    assert!(desk.browser.is_marked(), "without a reload");
    for (path, words) in [("/audit", "No reminder"), ("/access", "Access"), ("/activity", "Activity")] {
        desk.world.kill_agent();
        desk.goto(path);
        desk.browser.shows("The agent is not running");
        desk.browser.mark();
        desk.world.everkey("agent start").ok();
        desk.browser.until("the page to come back", |browser| {
            !browser.text().contains("The agent is not running") && browser.text().contains(words)
        });
        assert!(desk.browser.is_marked());
    }
    desk.check_traffic("an agent that is gone");
}

#[test]
fn an_agent_that_dies_just_after_its_return_shows() {
    let test = "an_agent_that_dies_just_after_its_return_shows";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.world.login();
    desk.browser.shows(ADA);
    // Several times: the dashboard's own look at the agent may come in between.
    for _ in 0..2 {
        desk.world.kill_agent();
        desk.browser.shows("The agent is not running");
        let gone_since = Instant::now();
        desk.browser.until("the dashboard to look less often", |_| gone_since.elapsed() > SELDOM);
        desk.world.everkey("agent start").ok();
        desk.browser.script("return void document.dispatchEvent(new Event('visibilitychange'))");
        desk.browser.shows(ADA);
    }
    desk.check_traffic("an agent that came back for a moment");
}

#[test]
fn a_code_survives_a_restart_of_the_agent() {
    let test = "a_code_survives_a_restart_of_the_agent";
    let Some(mut desk) = Desk::open(test, Setup::default()) else { return };
    desk.browser.click_for("failproofai", "Sign in");
    desk.browser.dialog_shows("Email address");
    desk.browser.fill("Email address", ADA);
    desk.browser.click_in_dialog("Send the code");
    desk.browser.dialog_shows("We sent a code to");
    let code = desk.world.server.code_after(ADA, 0);
    desk.world.kill_agent();
    desk.world.everkey("agent start").ok();
    desk.browser.fill("Code", if code == "111111" { "111112" } else { "111111" });
    desk.browser.click_in_dialog("Sign in");
    desk.browser.dialog_shows("tries left");
    desk.world.kill_agent();
    desk.world.everkey("agent start").ok();
    desk.browser.fill("Code", &code);
    desk.browser.click_in_dialog("Sign in");
    desk.browser.dialog_shows(&format!("Signed in as {ADA}"));
    assert_eq!(desk.world.server.codes(ADA).len(), 1, "no other code was needed");
    desk.check_traffic("an agent that was started anew");
}

#[test]
fn a_gone_api_server_is_reported_where_it_matters() {
    let test = "a_gone_api_server_is_reported_where_it_matters";
    let Some(mut desk) = Desk::open(test, Setup { refresh_gap_ms: Some(1), ..Setup::default() }) else {
        return;
    };
    desk.goto("/audit");
    desk.world.proxy.go_away();
    desk.browser.click("Set a reminder");
    desk.browser.dialog_shows("Email address");
    desk.browser.fill("Email address", ADA);
    desk.browser.click_in_dialog("Send the code");
    desk.browser
        .until("the trouble", |browser| browser.count("dialog[open] [role=alert]:not([hidden])") == 1);
    assert!(desk.browser.dialog().contains("reach"), "{}", desk.browser.dialog());
    desk.check("audit-no-server");
    desk.world.proxy.come_back();
    desk.browser.click_in_dialog("Close");
    desk.browser.no_dialog();
    let cancels = |url: &String| url.ends_with("/api/sessions/cancel");
    assert!(!desk.browser.requests().iter().any(cancels), "what has failed is not given up as well");
    desk.world.login();

    desk.goto("/");
    desk.browser.shows(ADA);
    desk.world.proxy.go_away();
    desk.browser.click_for("failproofai", "Refresh now");
    desk.browser.shows("Can't reach the server");
    desk.check("sessions-no-server");
    // Set all the same.
    desk.goto("/audit");
    desk.browser.click("Set a reminder");
    desk.browser.shows("The api-server does not know yet");
    desk.check("audit-no-server-told");
    desk.world.proxy.come_back();
    desk.browser.click("Change the reminder");
    desk.browser.shows("The api-server knows");
    desk.check_traffic("an api-server that is gone");
}

#[test]
fn a_dashboard_that_has_ended_is_told() {
    let Some(desk) = Desk::open("a_dashboard_that_has_ended_is_told", Setup::default()) else { return };
    desk.world.login();
    desk.browser.until("who is signed in", |browser| browser.has_for("failproofai", "Refresh now"));
    let Desk { browser, dashboard, world: _world, .. } = desk;
    dashboard.close();
    browser.shows("The dashboard has stopped");
    browser.shows("everkey dashboard");
    // Nothing else is known then: no word of a button's failure, no time that ticks, nothing of the agent.
    browser.shows("Agent unknown");
    let left = browser.text_of(".counter");
    let now = || browser.script("return Date.now()").as_f64().unwrap_or_default();
    let before = now();
    browser.click_for("failproofai", "Refresh now");
    browser.until("the button to be done and two seconds to pass", |browser| {
        browser.count("[data-action=refresh][aria-disabled]") == 0 && now() > before + 2000.0
    });
    assert_eq!(browser.count("#toast:not([hidden])"), 0, "{}", browser.text());
    assert_eq!(browser.text_of(".counter"), left);
}
