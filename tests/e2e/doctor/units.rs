//! What systemd says of the units, by a `systemctl` that says what a test wants; and one that hangs.

use super::{doctor, kinds, note, problem};
use everkey_tests::World;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// A world whose user has a service manager that says this.
fn with_systemctl(script: &str) -> World {
    let mut world = World::new();
    world.put("runtime/systemd/private", "");
    let program = world.put("bin/systemctl", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    world.set_env("PATH", &format!("{}:{path}", world.home().join("bin").display()));
    world.set_env("XDG_RUNTIME_DIR", &world.home().join("runtime").display().to_string());
    world.set_env("USER", "nobody-who-lingers");
    world
}

fn says(socket: (&str, &str), service: (&str, &str)) -> String {
    let unit = |name: &str, (active, file): (&str, &str)| {
        format!(
            "Id=everkey.{name}\nLoadState=loaded\nActiveState={active}\nSubState=x\nUnitFileState={file}\nResult=exit-code\n"
        )
    };
    format!("cat <<'END'\n{}\n{}END", unit("socket", socket), unit("service", service))
}

#[test]
fn units_that_failed_or_do_not_run_are_told() {
    let world = with_systemctl(&says(("active", "static"), ("failed", "static")));
    problem(
        &world,
        "unit_failed",
        "systemd has given up everkey.service",
        "systemctl --user status everkey.service",
    );
    let world = with_systemctl(&says(("inactive", "enabled"), ("inactive", "disabled")));
    problem(&world, "unit_stopped", "everkey.socket is enabled", "systemctl --user start everkey.socket");
}

#[test]
fn an_agent_that_ends_with_the_last_session_is_told() {
    let world = with_systemctl(&says(("active", "enabled"), ("active", "disabled")));
    note(&world, "no_lingering", "lingering is off", "loginctl enable-linger");
    let shown = world.everkey("doctor").ok();
    assert!(shown.contains("everkey.socket is active"), "{shown}");
    let world = with_systemctl(&says(("active", "static"), ("active", "static")));
    assert_eq!(kinds(&doctor(&world)), ["no_agent"]);
}

#[test]
fn a_check_that_hangs_keeps_nobody_waiting() {
    let world = with_systemctl("exec sleep 8");
    let found = doctor(&world);
    assert!(found["profiles"][0]["reach"]["answered"].is_object(), "the others are told: {found:#}");
    problem(&world, "unfinished", "systemd units took too long", "again");
}

#[test]
fn a_report_has_the_journal_of_a_service() {
    let world = with_systemctl(&says(("active", "static"), ("active", "static")));
    let program = world.put("bin/journalctl", "#!/bin/sh\necho everkeyd: password=hunter2\n");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let folder = world.everkey("report --json").json()["folder"].as_str().unwrap().to_owned();
    let journal = fs::read_to_string(format!("{folder}/journal.txt")).unwrap();
    assert_eq!(journal, "everkeyd: password=[redacted:password]\n");
}
