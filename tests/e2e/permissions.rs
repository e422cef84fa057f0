//! Other users and open modes; as an unprivileged user, for whom they count (F01, D13, D17).

use everkey_tests::lines::until_closed;
use everkey_tests::setup::NOBODY;
use everkey_tests::skip::{has, is_root, skipped};
use everkey_tests::{ADA, Setup, World, until};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::process::Command;

const UNPRIVILEGED: Setup = Setup {
    access_ttl: "3600s",
    strict: false,
    real_limits: false,
    limits: "",
    refresh_gap_ms: None,
    unprivileged: true,
};

/// Whether this test can have two users; says so if it can't.
fn two_users(test: &str) -> bool {
    let able = is_root() && has("setpriv");
    if !able {
        skipped(test, "it needs root and setpriv to be two users");
    }
    able
}

fn set_mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn f01_a_file_open_to_others_is_tightened_with_a_warning() {
    let world = World::signed_in(UNPRIVILEGED);
    set_mode(&world.auth_file(), 0o644);
    world.stop_agent();
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    assert_eq!(fs::metadata(world.auth_file()).unwrap().mode() & 0o777, 0o600);
    assert!(world.agent_log().contains("was readable by others"), "a warning in the log");
    world.everkey("auth refresh").ok();
    assert_eq!(fs::metadata(world.auth_file()).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn f01_a_file_of_another_user_is_refused_and_logout_works() {
    if !two_users("f01_a_file_of_another_user_is_refused_and_logout_works") {
        return;
    }
    for mode in [0o600, 0o644] {
        let world = World::signed_in(UNPRIVILEGED);
        world.stop_agent();
        chown(world.auth_file(), Some(1), Some(1)).unwrap();
        set_mode(&world.auth_file(), mode);
        for words in ["auth whoami", "auth token", "auth refresh", "auth login"] {
            world.everkey(words).exits(7).complains("belongs to another user (uid 1)");
        }
        assert_eq!(world.proxy.refreshes(), 0);
        assert_eq!(fs::metadata(world.auth_file()).unwrap().mode() & 0o777, mode, "it is left as it is");
        world.everkey("auth logout").ok();
        assert!(!world.auth_file().exists());
        world.everkey("auth whoami").exits(1);
        world.login();
    }
}

#[test]
fn f01_an_unwritable_folder_is_reported_and_tokens_served() {
    if is_root() && !has("setpriv") {
        let test = "f01_an_unwritable_folder_is_reported_and_tokens_served";
        return skipped(test, "it needs setpriv to be no root");
    }
    let world = World::signed_in(UNPRIVILEGED);
    set_mode(&world.auth_dir(), 0o500);
    world.everkey("auth refresh").exits(7).complains("ermission denied");
    assert_eq!(world.proxy.refreshes(), 0, "nothing is sent without a durable intent (I1)");
    assert_eq!(world.server.me(&world.token()), 200);
    set_mode(&world.auth_dir(), 0o700);
    until("the refresh to be made up for", || world.server.events("rotated") == 1);
    world.until_state("valid");
}

#[test]
fn d13_another_user_is_turned_away() {
    if !two_users("d13_another_user_is_turned_away") {
        return;
    }
    let world = World::signed_in(UNPRIVILEGED);
    let pid = world.agent_pid();
    // As if every wall before the socket had fallen.
    for path in [world.home().to_owned(), world.home().join("run")] {
        set_mode(&path, 0o777);
    }
    set_mode(&world.socket(), 0o777);

    // Root is another user, too.
    let mut stream = UnixStream::connect(world.socket()).unwrap();
    stream.set_read_timeout(Some(everkey_tests::wait::PATIENCE)).unwrap();
    let _ = stream.write_all(b"{\"hello\":{\"oldest\":1,\"newest\":1}}\n{\"request\":\"token\"}\n");
    assert_eq!(until_closed(&mut stream), b"", "not a byte is answered");
    assert!(world.agent_log().contains("turned away a connection of another user"));

    // And so is anybody else; the client notices first, and tells the stranger nothing.
    let other = (NOBODY - 1).to_string();
    let client = world.root().join("bin/everkey");
    let home = world.root().join("home");
    fs::create_dir(&home).unwrap();
    chown(&home, Some(NOBODY - 1), Some(NOBODY - 1)).unwrap();
    let output = Command::new("setpriv")
        .args([format!("--reuid={other}"), format!("--regid={other}"), "--clear-groups".to_owned()])
        .arg(client)
        .args(["auth", "token"])
        .env_clear()
        .env("HOME", home)
        .env("EVERKEY_SOCKET", world.socket())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("another user's program"), "{said}");
    assert_eq!(output.stdout, b"");
    assert_eq!(world.agent_pid(), pid, "its own user is served as before");
}

#[test]
fn d05_a_runtime_folder_of_another_user_is_refused() {
    if !two_users("d05_a_runtime_folder_of_another_user_is_refused") {
        return;
    }
    let world = World::with(UNPRIVILEGED);
    let run = world.home().join("run");
    fs::create_dir(&run).unwrap();
    set_mode(&run, 0o777);
    world.everkey("auth whoami").exits(3).complains("belongs to user 0, not to you");
    assert!(!world.socket().exists());
}
