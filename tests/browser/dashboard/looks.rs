//! Every page with much on it, in both themes, at a desk and on a phone: profiles of every kind, in every state that a
//! test can bring about.

use super::Desk;
use everkey_tests::browser::Chromium;
use everkey_tests::{ADA, Account, Approval, Fault, Person, Setup, World};
use serde_json::json;

/// Ada at work: signed in by code, by device code and by a token; one session has ended, one server is away.
fn full_world() -> World {
    let world = World::with(Setup { refresh_gap_ms: Some(1), ..Setup::default() });
    let at = world.proxy.url();
    world.configure(&format!(
        "[profiles.achilles]\nprovider = \"achilles\"\nserver = \"{at}\"\n\
         [profiles.binboi]\nprovider = \"binboi\"\nserver = \"{at}\"\n\
         [profiles.staging]\nprovider = \"failproofai\"\nserver = \"{at}\"\n\
         [profiles.lab-machine]\nprovider = \"failproofai\"\nserver = \"{at}\"\n"
    ));
    world.login();
    let access = world.server.sign_in(ADA).access;
    let made =
        world.server.call("POST", "/api/v1/tokens", Some(&access), Some(&json!({ "name": "build machine" })));
    let mut binboi = Account::of(&world, "binboi");
    let asked = binboi.login();
    binboi.answer(&asked, made.json()["token"].as_str().expect("a token"));
    let mut achilles = Account::of(&world, "achilles");
    let shown = achilles.login();
    Person::sign_in(&world.server, ADA).decide(shown["user_code"].as_str().expect("a code"), Approval::Yes);
    achilles.after(&shown);
    for profile in ["staging", "lab-machine"] {
        let mut account = Account::of(&world, profile);
        let before = world.server.codes(ADA).len();
        let asked = account.login();
        let asked = account.answer(&asked, ADA);
        account.answer(&asked, &world.server.code_after(ADA, before));
    }
    world
}

#[test]
fn every_full_page_is_accessible() {
    let test = "every_full_page_is_accessible";
    let Some(browser) = Chromium::start(test) else { return };
    let world = full_world();
    let mut desk = Desk::before(world, browser);
    let mut account = Account::of(&desk.world, "failproofai");
    for _ in 0..3 {
        account.refresh();
        desk.world.token();
        Account::of(&desk.world, "binboi").token();
    }
    // One session ends behind everkey's back, and is found out.
    let file = desk.world.home().join("state/sessions/staging.json");
    let session = std::fs::read_to_string(file).expect("a session of staging");
    let session: serde_json::Value = serde_json::from_str(&session).expect("a session of staging");
    let grant = everkey_tests::server::IssuedTokens {
        access: session["access_token"].as_str().expect("a session of staging").to_owned(),
        refresh: session["refresh_token"].as_str().expect("a session of staging").to_owned(),
        answer: session.clone(),
    };
    desk.world.server.end_session(&grant);
    let _ = Account::of(&desk.world, "staging").ask("refresh", &json!({ "force": true }));
    // Another one's server is away.
    desk.world.proxy.every(everkey_tests::REFRESH, Fault::Reset);
    let _ = Account::of(&desk.world, "lab-machine").ask("refresh", &json!({ "force": true }));
    desk.world.everkey("reminder set --in-days 12").ok();

    desk.goto("/");
    desk.browser.shows("Needs a new sign-in");
    desk.browser.until("the server that is away", |browser| {
        let text = browser.text();
        text.contains("Can't reach the server") || text.contains("its answer got lost")
    });
    desk.check("sessions");
    desk.goto("/audit");
    desk.browser.shows("Next re-audit");
    desk.check("audit");
    desk.goto("/access");
    desk.browser.shows("binboi");
    desk.check("access");
    desk.goto("/activity");
    desk.browser.shows("staging");
    desk.check("activity");
    // The dialogs that no other test opens: a device code, a pasted token.
    desk.world.everkey("auth logout --profile achilles");
    desk.world.everkey("auth logout --profile binboi");
    desk.goto("/");
    desk.browser.until("achilles to be signed out", |browser| browser.has_for("achilles/default", "Sign in"));
    desk.browser.click_for("achilles/default", "Sign in");
    desk.browser.dialog_shows("Enter this code there");
    desk.check("sign-in-device");
    desk.browser.click_in_dialog("Cancel");
    desk.browser.no_dialog();
    desk.browser.until("binboi to be signed out", |browser| browser.has_for("binboi", "Sign in"));
    desk.browser.click_for("binboi", "Sign in");
    desk.browser.dialog_shows("Token");
    desk.check("sign-in-token");
    desk.browser.click_in_dialog("Cancel");
}
