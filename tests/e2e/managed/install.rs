//! `everkey agent install` and `uninstall`.

use super::{everything_in, units};
use everkey_tests::process::is_alive;
use everkey_tests::{ADA, Setup, World, until};
use std::fs;
use std::path::Path;

#[test]
fn the_agent_is_installed_as_a_service() {
    let Some(world) = World::managed("the_agent_is_installed_as_a_service", Setup::default()) else { return };
    let before = everything_in(&world.users_home());
    let planned = world.everkey("agent install --dry-run").ok();
    assert!(planned.lines().all(|line| line.starts_with("would ")), "{planned}");
    assert_eq!(everything_in(&world.users_home()), before, "nothing was done");

    let said = world.everkey("agent install").ok();
    let done: Vec<_> = said.lines().collect();
    let [done @ .., sentence] = done.as_slice() else { panic!("{said}") };
    let as_planned = |step: &&str| planned.contains(step.split_once(' ').unwrap().1);
    assert!(!done.is_empty() && done.iter().all(as_planned), "{said}");
    assert_eq!(*sentence, "systemd runs the agent from now on.");
    assert_eq!(world.unit("everkey.service", "MainPID"), world.agent_pid().to_string());
    assert_eq!(world.unit("everkey.service", "UnitFileState"), "enabled");
    world.login();

    let again = world.everkey("agent install").ok();
    assert_eq!(again, "systemd runs the agent already; nothing was to be done.");
}

#[test]
fn an_agent_that_runs_gives_way_to_the_service() {
    let Some(world) = World::managed("an_agent_that_runs_gives_way_to_the_service", Setup::default()) else {
        return;
    };
    world.login();
    let pid = world.agent_pid();
    world.everkey("agent install").ok();
    until("the first agent to be gone", || !is_alive(pid));
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    assert_eq!(world.unit("everkey.service", "MainPID"), world.agent_pid().to_string());
}

#[test]
fn uninstalling_leaves_nothing() {
    let Some(world) = World::managed("uninstalling_leaves_nothing", Setup::default()) else { return };
    let config = world.users_home().join(".config/everkey/config.toml");
    let server = world.proxy.url();
    fs::remove_dir_all(world.users_home().join(".config")).unwrap();
    let before = everything_in(&world.users_home());
    world.everkey("agent install").ok();
    world.everkey(&format!("profile add work --provider failproofai --server {server}")).ok();
    world.everkey("profile use work").ok();
    world.login();
    world.everkey("token").ok();
    assert!(config.exists() && !units(&world).is_empty());

    let planned = world.everkey("agent uninstall --dry-run").ok();
    assert!(planned.contains("would sign work out"), "{planned}");
    assert!(world.everkey("whoami").ok().starts_with(ADA), "nothing was done");
    let said = world.everkey("agent uninstall").ok();
    assert!(
        said.contains("signed work out") && said.ends_with("Everything is removed but the programs."),
        "{said}"
    );
    assert_eq!(world.server.events("logout"), 1, "the server knows");
    let after = everything_in(&world.users_home());
    let left: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    // Folders of the person's, which systemd and others use, too.
    assert!(left.iter().all(|path| [".config", ".local/state"].contains(&path.as_str())), "{left:?}");
    assert!(!world.runtime().join("everkey").exists());
    assert_eq!(world.unit("everkey.service", "LoadState"), "not-found");
    assert_eq!(world.unit("everkey.socket", "ActiveState"), "inactive");
    assert_eq!(world.everkey("agent uninstall").ok().lines().count(), 1, "there is nothing more to do");
}

#[test]
fn uninstalling_keeps_sessions_if_asked() {
    let Some(world) = World::managed("uninstalling_keeps_sessions_if_asked", Setup::default()) else {
        return;
    };
    world.everkey("agent install").ok();
    world.login();
    let refresh = world.session_text("refresh_token");
    let said = world.everkey("agent uninstall --keep sessions").ok();
    assert!(!said.contains("signed"), "{said}");
    assert!(units(&world).iter().all(|name| !name.starts_with("everkey")), "{:?}", units(&world));
    assert_eq!(world.session_text("refresh_token"), refresh);
    assert_eq!(world.find_agent(), None);
    // Without a service the first command starts an agent, which has the session.
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    world.everkey("refresh").ok();
    world.server.assert_nothing_revoked();
}

#[test]
fn files_of_others_stay_where_they_are() {
    let Some(world) = World::managed("files_of_others_stay_where_they_are", Setup::default()) else { return };
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/everkey.socket"));
    let unit = world.put("home/.config/systemd/user/everkey.socket", &text.unwrap());
    let said = world.everkey("agent install").ok();
    assert!(said.contains("everkey.socket: it is not this command's"), "{said}");
    let note = world.put("home/.local/state/everkey/note.txt", "mine");
    let said = world.everkey("agent uninstall").ok();
    for kept in [unit, note, world.users_home().join(".config/everkey/config.toml")] {
        assert!(kept.exists(), "{}", kept.display());
    }
    assert!(said.contains("left as it is: /home/ada/.config/everkey/config.toml"), "{said}");
    assert!(said.contains("left as it is: /home/ada/.local/state/everkey"), "{said}");
}

#[test]
fn without_namespaces_the_service_has_less_of_a_sandbox() {
    let test = "without_namespaces_the_service_has_less_of_a_sandbox";
    let Some(world) = World::managed(test, Setup::default()) else { return };
    // What a manager can't do without: as where the kernel refuses namespaces to users.
    let removed = world.as_root("rmdir").arg("/run/systemd/unit-root").status();
    assert!(removed.is_ok_and(|status| status.success()));
    world.everkey("agent install").exits(0).complains("gives its users no namespaces");
    world.login();
    assert_eq!(world.unit("everkey.service", "MainPID"), world.agent_pid().to_string());
    assert_eq!(world.unit("everkey.service", "NoNewPrivileges"), "yes");
    world.everkey("agent restart").ok();
    assert!(world.everkey("whoami").ok().starts_with(ADA));
    let said = world.everkey("agent uninstall --keep sessions").ok();
    assert!(said.contains("everkey-no-namespaces.conf"), "{said}");
    assert!(units(&world).is_empty(), "{:?}", units(&world));
}
