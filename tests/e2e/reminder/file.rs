//! `next-audit.json` as the agent writes it and as others leave it.

use super::{BOB, DAY, account, content, file, now, reminder, set, until_due_at, write};
use everkey_tests::{ADA, Setup, World, othertool, until};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, Instant};

#[test]
fn setting_one_writes_the_contracts_file() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    assert_eq!(reminder(&mut account), Value::Null);
    let set = set(&mut account, &json!({ "in_days": 7 }));
    let at = set["at"].as_u64().unwrap();
    assert!((7 * DAY - 60..=7 * DAY + 60).contains(&(at - now())), "{set}");
    assert_eq!((&set["email"], &set["due"]), (&json!(ADA), &json!(false)));
    let wanted = json!({ "next_audit_at": at, "user_email": ADA, "set_at": set["set_at"] });
    assert_eq!(content(&world), Some(wanted));
    let meta = fs::metadata(file(&world)).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.nlink()), (0o600, 1));
    assert_eq!(world.status()["reminder"]["at"], at);
    let names: Vec<_> = fs::read_dir(world.auth_dir())
        .unwrap()
        .flatten()
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.ends_with("-tmp")), "{names:?}");
}

#[test]
fn past_and_distant_times_are_refused_but_days_are_clamped() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    for at in [now() - 60, now() + 366 * DAY] {
        let answer = account.ask("set_reminder", &json!({ "at": at }));
        assert_eq!(answer["code"], "bad_request", "{answer}");
    }
    assert_eq!(content(&world), None);
    for (days, meant) in [(0, 1), (9999, 365)] {
        let at = set(&mut account, &json!({ "in_days": days }))["at"].as_u64().unwrap();
        assert!((at - now()).abs_diff(meant * DAY) <= 60, "{days} days");
    }
}

#[test]
fn changes_by_another_tool_are_noticed_at_once() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    let (first, second, third) = (now() + DAY, now() + 2 * DAY, now() + 3 * DAY);
    write(&world, first, ADA);
    until_due_at(&mut account, first);
    assert_eq!(reminder(&mut account)["upstream"], "unknown", "nobody knows what that tool told");
    // Edited in place, with a fraction.
    let text = json!({ "next_audit_at": second as f64 + 0.5, "user_email": ADA, "set_at": 1.5 }).to_string();
    fs::write(file(&world), text).unwrap();
    until_due_at(&mut account, second);
    write(&world, third, ADA);
    until_due_at(&mut account, third);
    fs::remove_file(file(&world)).unwrap();
    until_due_at(&mut account, Value::Null);
    assert_eq!(content(&world), None, "it is not written again");
}

#[test]
fn a_change_need_not_wait_for_the_regular_look() {
    const LOOK: Duration = Duration::from_secs(30);
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    let began = Instant::now();
    // Each is written when the one before is known, so looks alone would take at least five times as long as one.
    for days in 1..=6 {
        let at = now() + days * DAY;
        write(&world, at, ADA);
        until_due_at(&mut account, at);
    }
    assert!(began.elapsed() < 4 * LOOK, "only looks have found them");
}

#[test]
fn one_that_no_event_tells_of_is_found_too() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    let session = world.session().unwrap();
    othertool::write_unseen(&world.auth_file(), Some(&session));
    write(&world, now() + DAY, ADA);
    until("the reminder", || reminder(&mut account) != Value::Null);
}

#[test]
fn garbage_is_left_alone_until_a_reminder_is_set() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    for garbage in ["", "null", "{\"next_audit_at\": \"soon\"}", "[1, \"ada@example.com\", 2]"] {
        write(&world, now() + DAY, ADA);
        until("a reminder", || reminder(&mut account) != Value::Null);
        fs::write(file(&world), garbage).unwrap();
        until_due_at(&mut account, Value::Null);
        assert_eq!(fs::read_to_string(file(&world)).unwrap(), garbage);
    }
    let at = set(&mut account, &json!({ "in_days": 3 }))["at"].clone();
    assert_eq!(content(&world).unwrap()["next_audit_at"], at);
    assert!(world.everkey("auth whoami").ok().starts_with(ADA), "the session is none the worse");
}

#[test]
fn links_are_not_followed_and_a_loose_mode_is_tightened() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    let elsewhere = world.root().join("elsewhere.json");
    let theirs = json!({ "next_audit_at": now() + DAY, "user_email": ADA, "set_at": 1 });
    othertool::write(&elsewhere, &theirs);
    symlink(&elsewhere, file(&world)).unwrap();
    let at = set(&mut account, &json!({ "in_days": 3 }))["at"].clone();
    until_due_at(&mut account, at);
    assert!(!file(&world).symlink_metadata().unwrap().is_symlink());
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(&elsewhere).unwrap()).unwrap(), theirs);

    write(&world, now() + 5 * DAY, ADA);
    fs::set_permissions(file(&world), fs::Permissions::from_mode(0o644)).unwrap();
    world.kill_agent();
    let mut account = super::account(&world);
    until("the reminder", || reminder(&mut account) != Value::Null);
    assert_eq!(fs::metadata(file(&world)).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn what_is_in_its_way_is_told_with_what_helps() {
    let world = World::signed_in(Setup::default());
    world.everkey("agent start").ok();
    symlink(world.root(), file(&world)).unwrap();
    let hint = "Move it away, or set a new reminder.";
    until("the link to be told", || world.everkey("reminder get").err.contains(hint));
    world.everkey("reminder set").ok();
    fs::remove_file(file(&world)).unwrap();
    mknodat(CWD, file(&world), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let words = "next-audit.json is not a plain file but a named pipe (FIFO).";
    until("the FIFO to be told", || world.everkey("reminder get").err.contains(words));
    assert!(world.everkey("status").ok().contains(words));
    world.everkey("reminder set").ok();
    assert!(fs::metadata(file(&world)).unwrap().is_file(), "it is replaced");
    fs::remove_file(file(&world)).unwrap();
    fs::create_dir(file(&world)).unwrap();
    for words in ["reminder get", "reminder set"] {
        until("the folder to be told", || world.everkey(words).err.contains("\nMove it away.\n"));
    }
    until("status to name the folder", || {
        world.everkey("status").ok().contains("is not a plain file but a folder.")
    });
}

#[test]
fn what_else_the_file_holds_stays_for_the_same_user() {
    let world = World::signed_in(Setup::default());
    let mut account = account(&world);
    let theirs =
        json!({ "next_audit_at": now() + DAY, "user_email": ADA, "set_at": 1, "from": "their tool" });
    othertool::write(&file(&world), &theirs);
    until("the reminder", || reminder(&mut account) != Value::Null);
    set(&mut account, &json!({ "in_days": 3 }));
    assert_eq!(content(&world).unwrap()["from"], "their tool");
}

#[test]
fn a_reminder_outlives_logout_and_counts_only_for_its_user() {
    let world = World::signed_in(Setup::default());
    let at = set(&mut account(&world), &json!({ "in_days": 30 }))["at"].clone();
    let written = content(&world);
    world.everkey("auth refresh --force").ok();
    world.everkey("auth logout").ok();
    assert_eq!(content(&world), written);
    assert_eq!(world.status()["reminder"], Value::Null, "nobody is signed in");
    world.login_as(BOB);
    let mut account = account(&world);
    assert_eq!(reminder(&mut account), Value::Null);
    assert_eq!(content(&world), written);
    world.everkey("auth logout").ok();
    world.login();
    until_due_at(&mut account, at);
    assert_eq!(content(&world), written);
}
