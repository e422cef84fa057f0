//! Files and folders that are open, foreign, links, no files, damaged; disks that are full or read only; a wrong set-up.

use super::{doctor, kinds, note, problem};
use everkey_tests::disk::Disk;
use everkey_tests::skip::{is_root, skipped};
use everkey_tests::{Setup, World, until};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A world in which Ada is signed in and no agent runs, which would mend things.
fn at_rest() -> World {
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    world
}

#[test]
fn what_others_can_read_or_write_is_told() {
    let world = at_rest();
    let session = world.auth_file();
    let open = |path: &Path, mode: u32, what: &str, to_do: &str| {
        let before = fs::metadata(path).unwrap().permissions().mode();
        set_mode(path, mode);
        problem(&world, "open_to_others", what, to_do);
        set_mode(path, before);
        assert_eq!(kinds(&doctor(&world)), ["no_agent"]);
    };
    open(&session, 0o644, "(mode 0644)", &format!("chmod go= {}", session.display()));
    open(&world.home().join("state"), 0o755, "(mode 0755)", "chmod go=");
    open(&world.home().join("state/agent.log"), 0o640, "agent.log", "chmod go=");
    open(session.parent().unwrap(), 0o777, "others can write", "chmod go-w");
    world.configure("");
    open(&world.home().join("config.toml"), 0o666, "others can write", "chmod go-w");
}

#[test]
fn a_secret_that_others_can_read_is_told() {
    let world = World::new();
    let secret = world.put("home/client-secret", "hunter2");
    world.configure(&format!(
        "[profiles.work]\nprovider = \"oauth\"\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"c\"\n\
         client_secret_file = \"{}\"\n",
        secret.display()
    ));
    assert!(!kinds(&doctor(&world)).contains(&"open_to_others"));
    set_mode(&secret, 0o644);
    problem(&world, "open_to_others", "client-secret", "chmod go=");
    assert!(!world.everkey("doctor --json").out.contains("hunter2"));
}

#[test]
fn a_file_of_somebody_else_is_told() {
    if !is_root() {
        return skipped("a_file_of_somebody_else_is_told", "only root gives files away");
    }
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    world.stop_agent();
    chown(world.auth_file(), Some(4711), None).unwrap();
    problem(&world, "foreign_owner", "belongs to user 4711", "chown 65534");
    world.own(&world.auth_file());
    world.configure("");
    chown(world.home().join("config.toml"), Some(4711), None).unwrap();
    problem(&world, "foreign_owner", "config.toml", "chown 65534");
}

#[test]
fn what_may_not_be_read_or_written_is_told() {
    if !is_root() {
        return skipped("what_may_not_be_read_or_written_is_told", "it needs a world of another user");
    }
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    world.stop_agent();
    set_mode(&world.auth_file(), 0o200);
    problem(&world, "unreadable", "auth.json can't be used", "ls -ld");
    set_mode(&world.auth_file(), 0o600);
    set_mode(&world.auth_dir(), 0o500);
    problem(&world, "unreadable", "can't be written to", "chmod u+rwx");
    set_mode(&world.auth_dir(), 0o700);
}

#[test]
fn links_and_what_is_no_file_are_told() {
    let world = at_rest();
    let (session, other) = (world.auth_file(), world.auth_dir().join("other.json"));
    fs::rename(&session, &other).unwrap();
    symlink(&other, &session).unwrap();
    problem(&world, "link", "is a link", "Put the file itself there");
    fs::remove_file(&session).unwrap();
    fs::hard_link(&other, &session).unwrap();
    problem(&world, "link", "a hard link", "Replace it by a copy");
    fs::remove_file(&session).unwrap();
    fs::create_dir(&session).unwrap();
    problem(&world, "not_a_file", "is not a plain file", "mv ");
}

#[test]
fn a_damaged_session_that_was_set_aside_is_told() {
    let world = World::signed_in(Setup::default());
    fs::write(world.auth_file(), "{").unwrap();
    until("the agent to set it aside", || !world.auth_file().exists());
    note(&world, "set_aside", "auth.json.damaged-", "rm ");
}

#[test]
fn a_disk_that_is_full_or_read_only_is_told() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world.auth_dir(), world.uid()) else {
        return skipped("a_disk_that_is_full_or_read_only_is_told", "nothing can be mounted here");
    };
    world.login();
    disk.fill();
    problem(&world, "disk_full", "0 KiB are left", "Make room");
    disk.free();
    world.until_state("valid");
    assert!(kinds(&doctor(&world)).is_empty());
    world.stop_agent();
    disk.protect();
    problem(&world, "disk_read_only", "is read only", "Mount it writable");
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_its_line() {
    let mut world = World::new();
    world.configure("[profiles.work]\nprovider = \"github\"\n");
    problem(&world, "config_mistake", "config.toml:2:1: ", "Only the profile \"work\" is stopped by it.");
    world.configure("default = \"nobody\"\n");
    problem(&world, "config_mistake", "nobody", "Mend that line.");
    world.configure("");
    world.set_env("EVERKEY_PROFILE", "nobody");
    problem(&world, "unknown_profile", "\"nobody\"", "There is: failproofai");
}

#[test]
fn a_home_that_is_not_yours_is_told() {
    let mut world = World::with(Setup { unprivileged: true, ..Setup::default() });
    world.set_env("EVERKEY_HOME", "");
    // Root's, wherever the suite runs.
    world.set_env("HOME", "/");
    problem(&world, "no_home", "HOME is /, which belongs to user 0", "everkey doctor");
    world.set_env("HOME", "");
    problem(&world, "no_home", "neither HOME nor EVERKEY_HOME is set", "Set HOME");
}
