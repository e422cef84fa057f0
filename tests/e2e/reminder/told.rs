//! How the person is told: a notification on a real session bus, and the configured command.

use super::{DAY, Witness, account, now, reminder, set, times_due, write};
use everkey_tests::desktop::Desktop;
use everkey_tests::process::is_alive;
use everkey_tests::skip::skipped;
use everkey_tests::{ADA, Setup, World, eventually, until};
use rustix::process::Pid;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

/// A world before whose desktop somebody sits.
fn with_desktop(test: &str) -> Option<(World, Desktop)> {
    let mut world = World::signed_in(Setup::default());
    world.stop_agent();
    let desktop = Desktop::start(world.root(), env!("CARGO_BIN_EXE_notification-center"));
    if desktop.is_none() {
        skipped(test, "no dbus-daemon");
    }
    let desktop = desktop?;
    world.set_env("DBUS_SESSION_BUS_ADDRESS", desktop.address());
    Some((world, desktop))
}

#[test]
fn a_notification_is_shown_on_the_session_bus() {
    let Some((world, desktop)) = with_desktop("a_notification_is_shown_on_the_session_bus") else { return };
    let mut account = account(&world);
    let at = now() + 2;
    set(&mut account, &json!({ "at": at }));
    let shown = eventually("a notification", || desktop.shown().first().cloned());
    let text = |field: &str| shown[field].as_str().unwrap().to_owned();
    assert_eq!(
        (text("app_name"), text("summary")),
        ("everkey".to_owned(), "Time for the next audit".to_owned())
    );
    assert!(text("body").contains(ADA) && text("body").contains("everkey reminder set"), "{shown}");
    assert_eq!((&shown["replaces_id"], &shown["actions"]), (&json!(0), &json!([])));
    let session = world.session().unwrap();
    for secret in ["access_token", "refresh_token"] {
        assert!(!shown.to_string().contains(session[secret].as_str().unwrap()), "{shown}");
    }
    write(&world, now() - 60, ADA);
    until("the next one", || desktop.shown().len() == 2);
    assert_eq!(times_due(&world), 2);
}

#[test]
fn a_bus_that_never_answers_costs_nothing_but_the_notification() {
    let mut world = World::signed_in(Setup::default());
    world.stop_agent();
    let socket = world.root().join("mute");
    let _mute = UnixListener::bind(&socket).unwrap();
    world.set_env("DBUS_SESSION_BUS_ADDRESS", &format!("unix:path={}", socket.display()));
    let witness = Witness::of(&world, &["--stay"]);
    let mut account = account(&world);
    let mut follower = world.lines();
    assert_eq!(follower.ask(&json!({ "request": "events", "past": false }))["reply"], "following");
    write(&world, now() - 60, ADA);
    let run = witness.run(0);
    assert!(!world.agent_log().contains("no notification"), "the command does not wait for the bus");
    assert_eq!((reminder(&mut account)["due"].clone(), times_due(&world)), (json!(true), 1));
    let due = eventually("the event", || {
        let event: serde_json::Value = serde_json::from_str(&follower.next_line()?).unwrap();
        (event["event"] == "reminder_due").then_some(event)
    });
    assert_eq!(due["reminder"]["email"], ADA, "{due}");
    until("the bus to be given up", || world.agent_log().contains("the session bus does not answer"));
    assert!(is_alive(pid(&run)), "the command goes on");
}

#[test]
fn without_a_bus_the_configured_command_runs_without_secrets() {
    let mut world = World::signed_in(Setup::default());
    world.stop_agent();
    let odd = ["two words", "$HOME", "`id`", "; exit", "*"];
    let witness = Witness::of(&world, &odd);
    let own = [("LANG", "C.UTF-8"), ("LC_TIME", "C"), ("DISPLAY", ":9"), ("XDG_SESSION_TYPE", "tty")];
    let foreign = [("BINBOI_AUTH_TOKEN", "canary"), ("SECRET", "canary"), ("XDG_ACTIVATION_TOKEN", "canary")];
    for (name, value) in own.into_iter().chain(foreign) {
        world.set_env(name, value);
    }
    let at = now() - 60;
    write(&world, at, ADA);
    let mut account = account(&world);
    let run = witness.run(0);
    assert_eq!(run["arguments"].as_array().unwrap()[1..], odd.map(|word| json!(word)));
    let environment = run["environment"].as_object().unwrap();
    let names: BTreeSet<&str> = environment.keys().map(String::as_str).collect();
    let wanted =
        ["HOME", "PATH", "DBUS_SESSION_BUS_ADDRESS", "EVERKEY_REMINDER_AT", "EVERKEY_REMINDER_EMAIL"];
    assert_eq!(names, wanted.into_iter().chain(own.map(|(name, _)| name)).collect());
    assert_eq!(environment["EVERKEY_REMINDER_AT"], at.to_string());
    assert_eq!(environment["EVERKEY_REMINDER_EMAIL"], ADA);
    assert_eq!(run["folder"], world.home().to_str().unwrap());
    let nothing = json!({ "0": "/dev/null", "1": "/dev/null", "2": "/dev/null" });
    assert_eq!(run["open"], nothing, "nothing of the agent's is open");
    let agent = Pid::from_raw(world.agent_pid().cast_signed());
    let of_agent = rustix::process::getsid(agent).unwrap().as_raw_nonzero().get();
    assert_ne!(run["session"], of_agent, "what ends the agent's session does not end the command");
    assert_eq!(reminder(&mut account)["due"], true);
    until("the log to say so", || world.agent_log().contains("no notification could be shown"));
}

#[test]
fn an_agent_without_rights_finds_its_helper() {
    // It may not be looked at by its own user (D17), and still has to find its own folder.
    let world = World::signed_in(Setup { unprivileged: true, ..Setup::default() });
    let file = world.home().join("due");
    let script = format!("echo \"$EVERKEY_REMINDER_EMAIL $(id -u)\" > {}", file.display());
    world.configure(&format!("[reminder]\ncommand = {}\n", json!(["sh", "-c", script])));
    let due = json!({ "next_audit_at": now() - 60, "user_email": ADA, "set_at": 1 });
    world.put("home/.failproofai/next-audit.json", &due.to_string());
    let wanted = format!("{ADA} {}\n", world.uid());
    until("the command to be run", || fs::read_to_string(&file).is_ok_and(|text| text == wanted));
}

#[test]
fn a_hanging_command_blocks_nothing_and_outlives_the_agent() {
    let world = World::signed_in(Setup::default());
    let witness = Witness::of(&world, &["--stay"]);
    let mut agent = account(&world);
    write(&world, now() - DAY, ADA);
    let first = witness.run(0);
    world.everkey("auth refresh --force").ok();
    set(&mut agent, &json!({ "in_days": 1 }));
    write(&world, now() - 60, ADA);
    let second = witness.run(1);
    world.everkey("agent stop").ok();
    until("the agent to be gone", || !world.everkey("agent status").out.contains("running"));
    assert!(is_alive(pid(&first)) && is_alive(pid(&second)), "both go on");
    fs::remove_file(witness.file()).unwrap();
    until("both to end", || !is_alive(pid(&first)) && !is_alive(pid(&second)));
}

#[test]
fn the_command_configured_at_the_due_time_is_run() {
    let Some((world, desktop)) = with_desktop("the_command_configured_at_the_due_time_is_run") else {
        return;
    };
    world.configure("[reminder]\ncommand = [\"/nowhere/at/all\"]\n");
    let _account = account(&world);
    write(&world, now() - DAY, ADA);
    until("a line that says which", || {
        let log = world.agent_log();
        log.contains("can't run the reminder's command") && log.contains("/nowhere/at/all")
    });
    until("the notification", || desktop.shown().len() == 1);
    world.configure("[reminder]\ncommand = [\"false\"]\n");
    write(&world, now() - 120, ADA);
    until("its failure", || world.agent_log().contains("the reminder's command failed"));
    world.configure("not toml");
    write(&world, now() - 60, ADA);
    until("the notification", || desktop.shown().len() == 3);
    assert!(world.agent_log().contains("can't read the reminder's command"));
    let witness = Witness::of(&world, &[]);
    write(&world, now() - 30, ADA);
    witness.run(0);
}

/// An executable script of this world.
fn script(world: &World, name: &str, text: &str) {
    let path = world.put(&format!("bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_service_starts_the_helper_through_its_manager_or_itself() {
    let mut world = World::signed_in(Setup::default());
    world.stop_agent();
    let witness = Witness::of(&world, &[]);
    let said = world.home().join("said");
    let path = std::env::var("PATH").unwrap();
    world.set_env("PATH", &format!("{}:{path}", world.home().join("bin").display()));
    world.set_env("INVOCATION_ID", "0123456789abcdef");
    let tells = format!("echo \"$@\" >> {}; env >> {}", said.display(), said.display());
    script(&world, "systemd-run", &format!("{tells}; shift 5; exec \"$@\""));
    let _account = account(&world);
    write(&world, now() - DAY, ADA);
    witness.run(0);
    let heard = fs::read_to_string(&said).unwrap();
    assert!(heard.starts_with("--user --quiet --collect --pipe -- /"), "{heard}");
    assert!(heard.lines().next().unwrap().ends_with("/everkey-remind"), "{heard}");
    assert!(!heard.contains("EVERKEY_") && !heard.contains("INVOCATION_ID"), "{heard}");
    assert!(!heard.contains(ADA), "who it is for is not in the arguments");

    for broken in ["exit 1", "echo nonsense; exec sleep 1000", "exec 0<&- 1>&-; exit 0"] {
        let before = witness.runs().len();
        script(&world, "systemd-run", broken);
        write(&world, now() - 60 - before as u64, ADA);
        witness.run(before);
    }
    fs::remove_file(world.home().join("bin/systemd-run")).unwrap();
    world.set_env("PATH", &path);
    assert_eq!(times_due(&world), witness.runs().len(), "each is told once");
}

#[test]
fn a_helper_without_an_errand_does_nothing() {
    let world = World::new();
    let helper = everkey_tests::binaries::Binaries::find().helper();
    let run = |stdin: &str| everkey_tests::cli::Cli::new(world.command(&helper)).stdin(stdin).run();
    assert_eq!(run("").ok(), "ready");
    for nonsense in ["x", "[1, \"a\", null]", "{\"at\": 1}"] {
        run(nonsense).exits(1).complains("no errand");
    }
}

fn pid(run: &serde_json::Value) -> u32 {
    u32::try_from(run["pid"].as_u64().unwrap()).unwrap()
}
