//! Signing in and out.

use super::driver::{Language, driver, text_of};
use everkey_tests::person::{Approval, Person};
use everkey_tests::{ADA, World};
use serde_json::json;
use std::fs;

pub fn signs_in_and_out(language: Language) {
    let world = World::new();
    let mut driver = driver(&world, language);
    driver.connect();
    assert!(world.find_agent().is_some(), "connecting starts the agent");
    for what in ["whoami", "token"] {
        assert_eq!(driver.fails(&json!({ "do": what }), "ot signed in"), "not_signed_in");
    }
    assert_eq!(driver.ok(&json!({ "do": "status" }))["state"], "signed_out");

    assert_eq!(driver.tell(&json!({ "do": "login" }))["step"]["field"], "email");
    assert_eq!(driver.answer(ADA)["step"]["field"], "code");
    let code = world.server.code_after(ADA, 0);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let again = driver.answer(wrong);
    assert_eq!(again["step"]["again"]["code"], "refused", "{again}");
    let user = driver.answer(&code)["ok"].clone();
    assert_eq!(user["email"], ADA);

    assert_eq!(driver.ok(&json!({ "do": "whoami" })), user);
    assert_eq!(driver.ok(&json!({ "do": "login" })), user, "already, without a question");
    assert_eq!(driver.ok(&json!({ "do": "status" }))["state"], "valid");
    let token = driver.ok(&json!({ "do": "token", "min_validity": 60 }));
    assert_eq!(text_of(&token), world.session_text("access_token"));
    assert!(token["expires_at"].is_u64() && token["short"].is_null(), "{token}");
    assert_eq!(world.server.me(&text_of(&token)), 200);
    let long = driver.ok(&json!({ "do": "token", "min_validity": 99_999 }));
    assert_eq!(long["short"], "lifetime");

    assert_eq!(driver.ok(&json!({ "do": "logout" })), "revoked");
    assert_eq!(driver.fails(&json!({ "do": "whoami" }), "ot signed in"), "not_signed_in");
    assert!(!world.auth_file().exists());
    driver.finish();
}

pub fn a_sign_in_is_given_up(language: Language) {
    let world = World::new();
    let mut driver = driver(&world, language);
    driver.connect();
    let step = driver.tell(&json!({ "do": "login" }));
    assert_eq!(driver.fails(&json!({ "answer": null }), "given up"), "cancelled");
    let late = world.lines().ask(&json!({ "request": "answer", "flow": step["step"]["flow"], "text": ADA }));
    assert_eq!(late["code"], "cancelled", "the agent knows: {late}");
    driver.login(&world);
    driver.finish();
}

pub fn a_person_approves_elsewhere_or_in_the_browser(language: Language) {
    let world = World::new();
    let config: String = ["device", "browser"]
        .map(|scheme| {
            let url = world.proxy.url();
            format!(
                "[profiles.by-{scheme}]\nprovider = \"oauth\"\nissuer = \"{url}\"\nscheme = \"{scheme}\"\n"
            )
        })
        .concat();
    fs::write(world.home().join("config.toml"), config).unwrap();
    let mut person = Person::sign_in(&world.server, ADA);
    let mut driver = driver(&world, language);

    driver.ok(&json!({ "do": "connect", "profile": "by-device" }));
    let told = driver.tell(&json!({ "do": "login" }));
    let step = &told["step"];
    assert_eq!(step["reply"], "show", "{told}");
    driver.0.say(&json!({ "answer": null }).to_string());
    person.decide(step["user_code"].as_str().unwrap(), Approval::Yes);
    assert_eq!(driver.0.json()["ok"]["email"], ADA);
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    text_of(&driver.ok(&json!({ "do": "token" })));

    driver.ok(&json!({ "do": "connect", "profile": "by-browser" }));
    let told = driver.tell(&json!({ "do": "login" }));
    let step = &told["step"];
    assert_eq!(step["reply"], "open", "{told}");
    let back = person.answer(step["url"].as_str().unwrap(), Approval::Yes);
    // This browser is on another machine: nobody comes back to the port, and the address is pasted.
    assert_eq!(driver.answer(&back)["ok"]["email"], ADA);
    assert_eq!(driver.ok(&json!({ "do": "logout" })), "revoked");
    assert_eq!(driver.fails(&json!({ "do": "token" }), "ot signed in"), "not_signed_in");
    driver.finish();
}
