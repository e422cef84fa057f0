//! Under a service manager: a socket that it bound, and readiness that it is told of.

use everkey_tests::skip::{has, skipped};
use everkey_tests::{ADA, Setup, World, until};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::{UnixDatagram, UnixStream};

#[test]
fn socket_activation_starts_the_agent_on_a_passed_socket() {
    if !has("systemd-socket-activate") {
        return skipped(
            "socket_activation_starts_the_agent_on_a_passed_socket",
            "no systemd-socket-activate",
        );
    }
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    fs::DirBuilder::new().mode(0o700).recursive(true).create(world.home().join("run")).unwrap();
    let agent = world.agent_command("").get_program().to_owned();
    let mut command = world.command("systemd-socket-activate");
    for name in ["EVERKEY_HOME", "HOME", "EVERKEY_LOG", "FAILPROOF_API_URL"] {
        command.args(["-E", name]);
    }
    command.arg("-l").arg(world.socket()).arg(agent).arg("--foreground");
    let mut agent = world.spawn_logged(&mut command);
    until("the socket to be bound", || world.socket().exists());
    let socket = fs::metadata(world.socket()).unwrap().ino();

    // The first command starts it, and finds the session there.
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    assert_eq!(world.agent_pid(), agent.pid());
    assert_eq!(fs::metadata(world.socket()).unwrap().ino(), socket);
    world.everkey("auth refresh").ok();
    agent.signal(Signal::TERM);
    assert!(agent.ended().success());
    assert!(world.socket().exists(), "the socket is the service manager's to remove");
}

#[test]
fn readiness_is_told_once_the_socket_answers() {
    let mut world = World::signed_in(Setup::default());
    world.stop_agent();
    let path = world.root().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(everkey_tests::wait::PATIENCE)).unwrap();
    let hear = || {
        let mut bytes = [0; 4096];
        let len = manager.recv(&mut bytes).expect("the agent tells");
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    };
    world.set_env("NOTIFY_SOCKET", path.to_str().unwrap());
    let mut agent = world.spawn_logged(&mut world.agent_command("--foreground"));
    while !hear().lines().any(|line| line == "READY=1") {}
    UnixStream::connect(world.socket()).expect("ready means that the socket is there");
    world.set_env("NOTIFY_SOCKET", "");
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    agent.signal(Signal::TERM);
    while !hear().lines().any(|line| line == "STOPPING=1") {}
    assert!(agent.ended().success());
}
