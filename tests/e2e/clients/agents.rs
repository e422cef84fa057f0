//! Finding the agent, starting it, and agents that are of no use.

use super::driver::{self, Language, clients, command, driven, driver, path_with, text_of};
use everkey_tests::lines::full_backlog;
use everkey_tests::process::signal;
use everkey_tests::setup::NOBODY;
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{ADA, Setup, World};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

pub fn a_killed_agent_is_started_again(language: Language) {
    let world = World::signed_in(Setup::default());
    let mut driver = driver(&world, language);
    driver.connect();
    let before = world.agent_pid();
    world.kill_agent();
    assert!(world.socket().exists(), "a stale socket is left");
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    assert_ne!(world.agent_pid(), before);
    assert_eq!(world.server.me(&text_of(&driver.ok(&json!({ "do": "token" })))), 200);
    driver.finish();
}

pub fn nothing_to_start_is_told(language: Language) {
    let world = World::new();
    let mut command = command(&world, language);
    command.env("PATH", path_with(None));
    let mut driver = driven(command, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "there is no everkeyd to start"), "no_agent");
    driver.finish();
    // One that starts nothing is told with its own words.
    let command = driver::command(&world, language);
    fs::write(world.home().join("state"), "a file in the way").unwrap();
    let mut driver = driven(command, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "did not start: "), "no_agent");
    driver.finish();
}

pub fn a_stuck_agent_is_told(language: Language) {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let mut driver = driver(&world, language);
    driver.connect();
    signal(pid, Signal::STOP);
    assert_eq!(driver.fails(&json!({ "do": "token" }), "stopped or stuck"), "no_agent");
    signal(pid, Signal::CONT);
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    assert_eq!(world.agent_pid(), pid, "no second agent was started");
    driver.finish();
}

pub fn a_listener_that_takes_nobody_is_told(language: Language) {
    let world = World::new();
    let full = full_backlog(&world.socket());
    let mut driver = driver(&world, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "stopped or stuck"), "no_agent");
    drop(full);
    driver.connect();
    driver.finish();
}

pub fn another_users_agent_is_told_nothing(language: Language) {
    if !is_root() || !has("setpriv") {
        let test = format!("another_users_agent_is_told_nothing ({})", language.program());
        return skipped(&test, "it needs root and setpriv to be two users");
    }
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    // As if every wall before the socket had fallen; root passes them anyway.
    for path in [world.home().to_owned(), world.home().join("run"), world.socket()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    assert_eq!(world.uid(), NOBODY);
    let mut command = Command::new(language.program());
    command.env_clear().env("PATH", path_with(None)).env("PYTHONPATH", clients());
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", world.root())
        .env("EVERKEY_SOCKET", world.socket());
    let mut driver = driven(command, language);
    let code = driver.fails(&json!({ "do": "connect", "client": "driver" }), "another user's program");
    assert_eq!(code, "no_agent");
    driver.finish();
}

pub fn the_agent_is_found_where_its_lock_says(language: Language) {
    let mut world = World::new();
    // Longer than a socket's address holds.
    let socket = world.root().join("s".repeat(110)).join("agent.sock");
    world.set_env("EVERKEY_SOCKET", socket.to_str().unwrap());
    world.login();
    let pid = world.agent_pid();
    let mut named = driver(&world, language);
    named.connect();
    named.finish();

    world.set_env("EVERKEY_SOCKET", "");
    let mut driver = driver(&world, language);
    driver.connect();
    assert_eq!(driver.ok(&json!({ "do": "whoami" }))["email"], ADA);
    assert_eq!(world.agent_pid(), pid, "no second agent was started");
    driver.finish();

    world.set_env("EVERKEY_SOCKET", world.root().join("elsewhere.sock").to_str().unwrap());
    let mut driver = driver::driver(&world, language);
    assert_eq!(driver.fails(&json!({ "do": "connect" }), "your agent is at"), "no_agent");
    driver.finish();
    world.set_env("EVERKEY_SOCKET", "");
}

pub fn a_wrong_idea_of_the_server_is_told(language: Language) {
    let mut world = World::signed_in(Setup::default());
    let mut driver = driver(&world, language);
    driver.ok(&json!({ "do": "connect", "server": "http://127.0.0.1:1" }));
    assert_eq!(driver.fails(&json!({ "do": "token" }), "http://127.0.0.1:1"), "mismatch");
    driver.ok(&json!({ "do": "connect", "profile": "nobodys" }));
    assert_eq!(driver.fails(&json!({ "do": "token" }), "nobodys"), "unknown_profile");
    driver.finish();
    let elsewhere = world.root().join("elsewhere").display().to_string();
    let url = "http://127.0.0.1:2";
    for (name, value, says, code) in [
        ("FAILPROOF_API_URL", url, url, "mismatch"),
        // Another account of the same agent.
        ("FAILPROOFAI_AUTH_DIR", elsewhere.as_str(), "not signed in", "not_signed_in"),
    ] {
        let mut driver = {
            let mut command = command(&world, language);
            command.env(name, value);
            driven(command, language)
        };
        driver.connect();
        assert_eq!(driver.fails(&json!({ "do": "token" }), says), code);
        driver.finish();
    }
    world.set_env("FAILPROOF_API_URL", "");
}
