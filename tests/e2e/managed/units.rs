//! The agent as a service of its user: started by the first command, and again when it dies or hangs.

use everkey_tests::process;
use everkey_tests::{ADA, Setup, World, until};
use rustix::process::Signal;
use std::fs;

fn world(test: &str) -> Option<World> {
    let world = World::managed(test, Setup::default())?;
    world.copy_units();
    Some(world)
}

#[test]
fn the_first_command_starts_the_service() {
    let Some(world) = world("the_first_command_starts_the_service") else { return };
    assert_eq!(world.unit("everkey.service", "ActiveState"), "inactive");
    world.login();
    assert_eq!(world.unit("everkey.service", "ActiveState"), "active");
    assert_eq!(world.unit("everkey.service", "MainPID"), world.agent_pid().to_string());
    assert!(world.everkey("whoami").ok().starts_with(ADA));
}

#[test]
fn a_killed_service_comes_back_with_its_session() {
    let Some(world) = world("a_killed_service_comes_back_with_its_session") else { return };
    world.login();
    let pid = world.agent_pid();
    process::signal(pid, Signal::KILL);
    until("another agent", || world.find_agent().is_some_and(|now| now != pid));
    world.until_unit("everkey.service", "active");
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert_eq!(world.unit("everkey.service", "NRestarts"), "1");
}

#[test]
fn d15_a_service_that_hangs_is_started_anew() {
    let Some(world) = world("d15_a_service_that_hangs_is_started_anew") else { return };
    // A watchdog with less patience, as an administrator sets it.
    let folder = world.runtime().join("systemd/user/everkey.service.d");
    fs::write(folder.join("watchdog.conf"), "[Service]\nWatchdogSec=2s\n").unwrap();
    world.systemctl("daemon-reload").ok();
    world.login();
    let pid = world.agent_pid();
    process::signal(pid, Signal::STOP);
    until("the watchdog", || world.unit("everkey.service", "NRestarts") == "1");
    until("another agent", || world.find_agent().is_some_and(|now| now != pid));
    assert!(world.everkey("whoami").ok().starts_with(ADA));
}
