//! Whose folders the clients work in, and how they find an agent though its place or its record is wrong.

use super::driver::{Language, command, driven, driver, path_with};
use crate::places::{folder, record, records};
use everkey_tests::setup::NOBODY;
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{Setup, World, until};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

pub fn a_home_of_somebody_else_is_refused(language: Language) {
    if !is_root() || !has("setpriv") {
        let test = format!("a_home_of_somebody_else_is_refused ({})", language.program());
        return skipped(&test, "it needs root and setpriv to be two users");
    }
    let world = World::with(Setup { unprivileged: true, ..Setup::default() });
    let theirs = world.home().to_owned();
    // As root, whose own programs could do anything there.
    for (variable, place) in [("HOME", theirs.clone()), ("XDG_STATE_HOME", theirs.join("x"))] {
        let mut command = std::process::Command::new(language.program());
        command.env_clear().env("PATH", path_with(Some(&world.root().join("bin")))).env("HOME", world.root());
        command.env("PYTHONPATH", super::driver::clients()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env(variable, place);
        let mut driver = driven(command, language);
        let words = format!("belongs to user {NOBODY}, and you are user 0");
        assert_eq!(driver.fails(&json!({ "do": "connect" }), &words), "storage");
        driver.finish();
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0, "nothing was touched");
    }
}

pub fn a_record_that_leads_nowhere_keeps_nobody_out(language: Language) {
    let world = World::new();
    let silent = world.home().join("silent.sock");
    let _listener = UnixListener::bind(&silent).unwrap();
    fs::set_permissions(&silent, fs::Permissions::from_mode(0o600)).unwrap();
    for text in records(&world).into_iter().chain([silent.to_str().unwrap().into()]) {
        record(&world, &text);
        let mut driver = driver(&world, language);
        driver.connect();
        driver.finish();
        world.stop_agent();
    }
}

pub fn an_agent_is_found_without_its_runtime_folder(language: Language) {
    let mut world = World::new();
    let runtime = folder(&world, &world.root().join("run/user"), 0o700);
    let open = folder(&world, &world.root().join("open"), 0o755);
    world.set_env("EVERKEY_HOME", "");
    world.set_env("XDG_RUNTIME_DIR", runtime.to_str().unwrap());
    let mut first = driver(&world, language);
    first.connect();
    let pid = world.agent_pid();
    fs::remove_dir_all(&runtime).unwrap();
    let fallback = world.home().join(".local/state/everkey/run/agent.sock");
    until("the agent to be bound again", || fallback.exists());
    first.connect();
    first.finish();
    world.set_env("XDG_RUNTIME_DIR", open.to_str().unwrap());
    let mut second = driven(command(&world, language), language);
    second.connect();
    second.finish();
    assert_eq!(world.agent_pid(), pid, "no second agent was started");
    // A folder that is open to others is passed over for an agent of one's own, too.
    world.stop_agent();
    let mut third = driver(&world, language);
    third.connect();
    third.finish();
    assert!(fallback.exists() && fs::read_dir(&open).unwrap().count() == 0);
    world.stop_agent();
}
