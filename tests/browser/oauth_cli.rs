//! The provider `oauth` as a person types it, against a server that nobody here wrote: what is said, and the exit codes.

use crate::foreign::Foreign;
use everkey_tests::browser::Chromium;
use everkey_tests::cli::{Output, Talk};
use serde_json::{Value, json};

/// Adds the profile `typed` for the server.
fn add(server: &Foreign, options: &str) {
    let words = format!("profile add typed --provider oauth --issuer {} {options}", server.at(""));
    server.world.everkey(&words).ok();
}

fn run(server: &Foreign, words: &str) -> Output {
    server.world.everkey(&format!("{words} --profile typed"))
}

/// A sign-in whose code is decided on at once, to its end.
fn login(server: &Foreign, approved: bool) -> Output {
    let mut talk = server.world.start("login --profile typed --json");
    let step = talk.json();
    if step["type"] == "show" {
        server.decide(&json!({ "reply": "show", "user_code": step["user_code"] }), approved);
    }
    let rest = talk.finish();
    Output { out: format!("{step}\n{}", rest.out), ..rest }
}

/// It ends with this code and says so, in one line.
#[track_caller]
fn assert_ends(output: &Output, code: i32, says: &str) {
    assert_eq!(output.code, code, "{output:?}");
    let said = format!("{}{}", output.out, output.err);
    assert!(said.lines().any(|line| line.contains(says)), "{says:?} in {output:?}");
}

fn opened(talk: &mut Talk) -> Value {
    let step = talk.json();
    assert_eq!(step["type"], "open", "{step}");
    step
}

#[test]
fn a_typed_profile_signs_in_by_device_code() {
    let Some(server) = Foreign::start("a_typed_profile_signs_in_by_device_code", "device") else {
        return;
    };
    add(&server, "--scheme device");
    assert_ends(&run(&server, "whoami"), 1, "not signed in");
    let done = login(&server, true);
    assert_ends(&done, 0, "\"done\"");
    assert_eq!(run(&server, "whoami").ok(), "ada@example.com (user-1)");
    assert_eq!(run(&server, "token").ok(), server.sessions()[0]["access"]);
    run(&server, "refresh --force").ok();
    assert_eq!(run(&server, "token").ok(), server.sessions()[1]["access"]);
    let status = run(&server, "status --json").json();
    assert_eq!((&status["state"], &status["user"]["email"]), (&json!("valid"), &json!("ada@example.com")));
    assert_ends(&run(&server, "logout"), 0, "");
    assert_ends(&run(&server, "whoami"), 1, "not signed in");
    assert!(server.sessions().iter().all(|one| one["revoked"] == true), "the server knows");
    server.assert_no_replay();
}

#[test]
fn a_typed_profile_signs_in_by_the_shown_address() {
    let test = "a_typed_profile_signs_in_by_the_shown_address";
    let Some(browser) = Chromium::start(test) else { return };
    let Some(server) = Foreign::start(test, "browser") else { return };
    add(&server, "");
    let mut talk = server.world.start("login --profile typed --json --no-browser");
    let step = opened(&mut talk);
    browser.goto(step["url"].as_str().unwrap());
    browser.click("Allow");
    browser.shows("You are signed in");
    assert_eq!(talk.json()["type"], "done");
    talk.finish().ok();
    assert_eq!(run(&server, "whoami").ok(), "ada@example.com (user-1)");
}

#[test]
fn an_error_is_one_line_and_the_right_exit_code() {
    let test = "an_error_is_one_line_and_the_right_exit_code";
    let Some(server) = Foreign::start(test, "device") else { return };
    add(&server, "--scheme device");
    assert_ends(&login(&server, false), 5, "was denied");
    server.set(&json!({ "metadata": { "issuer": "https://evil.example" } }));
    assert_ends(&login(&server, true), 5, "https://evil.example");
    server.set(&json!({ "metadata": {}, "fault": { "/.well-known/openid-configuration": "error" } }));
    assert_ends(&login(&server, true), 4, "500");
    server.set(&json!({ "fault": { "/device_authorization": "html" } }));
    assert_ends(&login(&server, true), 4, "not an api-server");
    server.set(&json!({ "fault": { "/device_authorization": "redirect" } }));
    assert_ends(&login(&server, true), 4, "elsewhere");
    server.world.stop_agent();
    std::fs::remove_dir_all(server.world.home().join("state/clients"))
        .expect("the client that was registered");
    server.set(&json!({ "fault": { "/register": "refused" } }));
    assert_ends(&login(&server, true), 5, "invalid_client_metadata");
    server.set(&json!({ "fault": {}, "metadata": { "registration_endpoint": null } }));
    assert_ends(&login(&server, true), 5, "client id");
    assert_ends(&run(&server, "whoami"), 1, "not signed in");
    let http = server.world.everkey("profile add odd --provider oauth --issuer http://id.example.com");
    assert_ends(&http, 2, "unencrypted");
}
