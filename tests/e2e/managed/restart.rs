//! `everkey agent restart`: under load, in the middle of a refresh, with the runtime folder gone.

use everkey_tests::process::is_alive;
use everkey_tests::{ADA, Setup, World, until};
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 20;

fn installed(test: &str, setup: Setup) -> Option<World> {
    let world = World::managed(test, setup)?;
    world.everkey("agent install").ok();
    world.login();
    Some(world)
}

/// Asks for a token in a loop, from so many programs at once, while `act` runs; how many answers there were.
fn under_load(world: &World, act: impl FnOnce(&AtomicUsize)) -> usize {
    let (ended, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let ask = || {
            while !ended.load(Ordering::Relaxed) {
                let said = world.cli("token").run();
                assert!(said.code == 0 && said.out.len() > 20, "{said:?}");
                answers.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(ask)).collect();
        act(&answers);
        ended.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    answers.into_inner()
}

/// Waits until each client may have had some more answers.
fn until_more(answers: &AtomicUsize) {
    let before = answers.load(Ordering::Relaxed);
    until("more answers", || answers.load(Ordering::Relaxed) >= before + 2 * CLIENTS);
}

#[test]
fn an_upgrade_under_load_fails_no_request() {
    let Some(world) = installed("an_upgrade_under_load_fails_no_request", Setup::default()) else { return };
    let program = world.users_home().join(".local/bin/everkeyd");
    let answers = under_load(&world, |answers| {
        for _ in 0..3 {
            until_more(answers);
            let pid = world.agent_pid();
            // As an installer does it: another file takes the name.
            let new = program.with_extension("new");
            // By a process of its own: what another test starts meanwhile would hold it open, and it could not be run.
            assert!(Command::new("cp").arg(&program).arg(&new).status().unwrap().success());
            fs::rename(&new, &program).unwrap();
            let status = world.everkey("agent status").ok();
            assert!(status.contains("Run `everkey agent restart`"), "{status}");
            world.everkey("agent restart").ok();
            until("the old agent to be gone", || !is_alive(pid));
            let status = world.everkey("agent status").ok();
            assert!(!status.contains("everkey agent restart"), "{status}");
        }
        until_more(answers);
    });
    assert!(answers > 6 * CLIENTS);
    assert_eq!(world.unit("everkey.service", "MainPID"), world.agent_pid().to_string());
}

#[test]
fn a_restart_without_a_service_fails_no_request() {
    let world = World::signed_in(Setup::default());
    under_load(&world, |answers| {
        for _ in 0..3 {
            until_more(answers);
            let pid = world.agent_pid();
            world.everkey("agent restart").ok();
            until("the old agent to be gone", || !is_alive(pid));
        }
        until_more(answers);
    });
}

#[test]
fn n07_a_stop_during_a_refresh_waits_for_its_answer() {
    let setup = Setup { access_ttl: "600s", ..Setup::default() };
    let Some(world) = installed("n07_a_stop_during_a_refresh_waits_for_its_answer", setup) else { return };
    let refresh = world.session_text("refresh_token");
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("refresh");
    gate.reached();
    let restart = world.start("agent restart");
    until("the agent to turn others away", || world.agent_log().contains("stopping"));
    // Who asks now waits for the next agent.
    let other = world.start("whoami");
    gate.open();
    caller.finish().ok();
    restart.finish().ok();
    assert!(other.finish().ok().starts_with(ADA));
    assert_ne!(world.session_text("refresh_token"), refresh);
    assert_eq!((world.proxy.refreshes(), world.server.events("rotated")), (1, 1));
    world.everkey("refresh --force").ok();
    world.server.assert_nothing_revoked();
}

#[test]
fn d07_a_service_outlives_its_runtime_folder() {
    let Some(world) = installed("d07_a_service_outlives_its_runtime_folder", Setup::default()) else {
        return;
    };
    let pid = world.agent_pid();
    fs::remove_dir_all(world.runtime().join("everkey")).unwrap();
    until("the agent to answer again", || world.find_agent() == Some(pid));
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    world.everkey("refresh").ok();
    world.everkey("agent restart").ok();
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    // The next one is the service again, and its socket is the manager's.
    assert_eq!(world.unit("everkey.service", "MainPID"), world.agent_pid().to_string());
    assert_eq!(world.unit("everkey.socket", "ActiveState"), "active");
}
