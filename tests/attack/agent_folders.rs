//! Attacks through the folders above the agent's own, through links in them, and through access lists.

use crate::agent::{mode, set_mode, two_users, unprivileged};
use everkey_tests::cli::Cli;
use everkey_tests::{ADA, World};
use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};

/// A world that keeps its files where a user's are who has no `EVERKEY_HOME`.
fn of_a_home() -> World {
    let mut world = World::with(unprivileged());
    world.set_env("EVERKEY_HOME", "");
    world.set_env("XDG_RUNTIME_DIR", "");
    world
}

fn folder(world: &World, name: &str) -> PathBuf {
    world.put(&format!("{name}/.made"), "").parent().unwrap().to_owned()
}

#[test]
fn f13_a_folder_above_the_configurations_counts() {
    if !two_users("f13_a_folder_above_the_configurations_counts") {
        return;
    }
    let world = of_a_home();
    let toml = "[profiles.evil]\nprovider = \"binboi\"\nserver = \"https://evil.example\"\n";
    world.put(".config/everkey/config.toml", toml);
    let above = world.home().join(".config");
    assert!(world.everkey("profile list").ok().contains("evil.example"));
    let refused = |words: &str| {
        let said = world.everkey("profile list");
        assert!(!said.out.contains("evil.example"), "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
        // One that runs has opened the account already.
        if world.find_agent().is_some() {
            world.stop_agent();
        }
        world.everkey("status -p evil").exits(7).complains(words);
    };
    set_mode(&above, 0o777);
    refused(&format!("others can write to {}", above.display()));
    set_mode(&above, 0o755);
    // A repository may hold a file of that name, and be the user's own.
    let cloned = folder(&world, "cloned");
    fs::rename(above.join("everkey/config.toml"), cloned.join("config.toml")).unwrap();
    fs::remove_dir_all(above.join("everkey")).unwrap();
    symlink(&cloned, above.join("everkey")).unwrap();
    std::os::unix::fs::lchown(above.join("everkey"), Some(1), Some(1)).unwrap();
    refused("belongs to another user (uid 1)");
}

#[test]
fn f15_a_folder_above_the_states_counts() {
    if !two_users("f15_a_folder_above_the_states_counts") {
        return;
    }
    let world = of_a_home();
    world.login();
    let (state, refused) = (world.home().join(".local/state"), |above: &Path, words: &str| {
        let said = world.everkey("auth refresh --force").exits(3);
        assert!(said.err.contains(words) && said.err.contains(&above.display().to_string()), "{said:?}");
    });
    world.stop_agent();
    let above = world.home().join(".local");
    set_mode(&above, 0o777);
    refused(&above, "others can write to");
    set_mode(&above, 0o755);
    // What another user has put in its place.
    fs::rename(&state, world.home().join(".local/old")).unwrap();
    fs::create_dir(&state).unwrap();
    chown(&state, Some(1), Some(1)).unwrap();
    set_mode(&state, 0o777);
    refused(&state, "belongs to another user (uid 1)");
    fs::remove_dir_all(&state).unwrap();
    fs::rename(world.home().join(".local/old"), &state).unwrap();
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
}

#[test]
fn f15_a_planted_link_gives_no_folder_another_mode() {
    if !two_users("f15_a_planted_link_gives_no_folder_another_mode") {
        return;
    }
    let mut world = of_a_home();
    let (sticky, public) = (folder(&world, "sticky"), folder(&world, "public"));
    set_mode(&sticky, 0o1777);
    set_mode(&public, 0o755);
    symlink(&public, sticky.join("everkey")).unwrap();
    std::os::unix::fs::lchown(sticky.join("everkey"), Some(1), Some(1)).unwrap();
    world.set_env("XDG_STATE_HOME", &sticky.display().to_string());
    world.everkey("agent start").exits(3).complains("belongs to another user (uid 1)");
    assert_eq!(mode(&public), 0o755);
    assert_eq!(fs::read_dir(&public).unwrap().count(), 1, "nothing is put there");
    // Root trusts nobody's folders but root's.
    let of_root = folder(&world, "of_root");
    chown(&of_root, Some(0), Some(0)).unwrap();
    set_mode(&of_root, 0o755);
    symlink(&of_root, world.home().join("state")).unwrap();
    let mut root = World::new();
    root.set_env("EVERKEY_HOME", &world.home().display().to_string());
    root.everkey("agent start").exits(3).complains(&format!("belongs to another user (uid {})", world.uid()));
    assert_eq!(mode(&of_root), 0o755);
    assert_eq!(fs::read_dir(&of_root).unwrap().count(), 1);
}

#[test]
fn f13_an_access_list_lets_nobody_write() {
    if !two_users("f13_an_access_list_lets_nobody_write") {
        return;
    }
    let world = World::with(unprivileged());
    world.configure("[profiles.evil]\nprovider = \"binboi\"\nserver = \"https://evil.example\"\n");
    let path = world.home().join("config.toml");
    // For the owner, for user 4002, for the group, the most of all, for others.
    let set = |path: &Path, all: u16| {
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (kind, permissions, id) in
            [(1_u16, all, u32::MAX), (2, all, 4002), (4, 0, u32::MAX), (16, all, u32::MAX), (32, 0, u32::MAX)]
        {
            list.extend(kind.to_le_bytes().into_iter().chain(permissions.to_le_bytes()));
            list.extend(id.to_le_bytes());
        }
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(path, "system.posix_acl_access", &list, flags)
    };
    if set(&path, 6).is_err() {
        return everkey_tests::skip::skipped(
            "f13_an_access_list_lets_nobody_write",
            "this file system has no access lists",
        );
    }
    assert_eq!(mode(&path), 0o660);
    let said = world.everkey("profile list");
    assert!(!said.out.contains("evil.example"), "{said:?}");
    assert!(said.err.contains(&format!("others can write to {}", path.display())), "{said:?}");
    set_mode(&path, 0o600);
    assert!(world.everkey("profile list").ok().contains("evil.example"));
    world.login();
    let sessions = world.auth_dir();
    set(&sessions, 7).unwrap();
    let words = format!("others can write to {}", sessions.display());
    world.everkey("refresh --force").exits(7).complains(&words);
}

#[test]
fn d25_another_users_lock_holds_up_no_change() {
    let world = World::with(unprivileged());
    let config = world.put("config.toml", "");
    let _held = {
        let folder = fs::File::open(config.parent().unwrap()).unwrap();
        folder.lock().unwrap();
        folder
    };
    let mut add = world.command("timeout");
    add.arg("5").arg(world.client()).args(["profile", "add", "b", "--provider", "binboi"]);
    Cli::new(add).run().ok();
    assert!(fs::read_to_string(&config).unwrap().contains("[profiles.b]"));
}

#[test]
fn f15_the_agents_lock_writes_into_no_other_file() {
    let world = World::with(unprivileged());
    let victim = world.put("home/victim", "mine\n");
    let lock = world.put("state/other", "").with_file_name("agent.lock");
    fs::hard_link(&victim, &lock).unwrap();
    world.everkey("agent start").ok();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine\n");
    assert!(world.find_agent().is_some());
}
