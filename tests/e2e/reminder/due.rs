//! The moment when it is due: told once, to whom it is for (D19, D20).

use super::{BOB, DAY, Witness, account, now, reminder, set, times_due, until_due_at, write};
use everkey_tests::process::signal;
use everkey_tests::{ADA, Setup, World, until};
use rustix::process::Signal;
use serde_json::{Value, json};

fn until_due(account: &mut everkey_tests::Account) {
    until("it to be due", || reminder(account)["due"] == true);
}

#[test]
fn a_reminder_fires_when_due_and_stays_visible() {
    let world = World::signed_in(Setup::default());
    let witness = Witness::of(&world, &[]);
    let mut account = account(&world);
    let at = now() + 3;
    let answer = set(&mut account, &json!({ "at": at }));
    assert_eq!((&answer["at"], &answer["due"]), (&json!(at), &json!(false)));
    witness.run(0);
    assert!(now() >= at, "not before its time");
    assert_eq!((reminder(&mut account)["due"].clone(), times_due(&world)), (json!(true), 1));
    assert_eq!(world.status()["reminder"]["due"], true);
    // The next one takes its place.
    let next = set(&mut account, &json!({ "in_days": 7 }));
    assert_eq!(next["due"], false);
    assert_eq!(world.status()["reminder"]["due"], false);
}

#[test]
fn d19_one_due_while_the_agent_was_down_fires_once() {
    let world = World::signed_in(Setup::default());
    let witness = Witness::of(&world, &[]);
    world.stop_agent();
    let (first, second) = (now() - DAY, now() - 60);
    write(&world, first, ADA);
    let mut agent = account(&world);
    witness.run(0);
    assert_eq!(reminder(&mut agent)["due"], true);
    for end in [World::stop_agent, World::kill_agent] {
        end(&world);
        until_due(&mut account(&world));
        assert_eq!(times_due(&world), 1, "told at an earlier start");
    }
    // Whatever may still be on its way is there when the next one is.
    write(&world, second, ADA);
    witness.run(1);
    assert_eq!((witness.due(), times_due(&world)), (vec![first, second], 2));
}

#[test]
fn d19_one_that_falls_due_after_a_crash_is_told_once() {
    let world = World::signed_in(Setup::default());
    let witness = Witness::of(&world, &[]);
    let at = now() + 2;
    set(&mut account(&world), &json!({ "at": at }));
    world.kill_agent();
    until("the time to pass", || now() > at);
    let told_before_the_kill = times_due(&world);
    until_due(&mut account(&world));
    witness.run(0);
    assert!(times_due(&world) == 1 && told_before_the_kill <= 1);
    assert_eq!(witness.due(), [at]);
}

#[test]
fn d19_one_due_during_sleep_fires_once_on_wake() {
    let world = World::signed_in(Setup::default());
    let witness = Witness::of(&world, &[]);
    let mut account = account(&world);
    let pid = world.agent_pid();
    let at = now() + 4;
    set(&mut account, &json!({ "at": at }));
    signal(pid, Signal::STOP);
    until("the time to pass", || now() > at + 1);
    let before = witness.runs().len();
    signal(pid, Signal::CONT);
    witness.run(0);
    until_due(&mut account);
    assert_eq!((before, times_due(&world), witness.due()), (0, 1, vec![at]));
}

#[test]
fn d20_another_users_reminder_is_neither_shown_nor_fired() {
    let world = World::signed_in(Setup::default());
    let witness = Witness::of(&world, &[]);
    let mut agent = account(&world);
    let (theirs, ours) = (now() - 120, now() - 60);
    // Found at the start, and while running.
    write(&world, theirs, BOB);
    assert_eq!(reminder(&mut agent), Value::Null);
    world.stop_agent();
    let mut agent = account(&world);
    assert_eq!(reminder(&mut agent), Value::Null);
    assert_eq!(world.status()["reminder"], Value::Null);
    write(&world, theirs + 1, BOB);
    write(&world, ours, ADA);
    witness.run(0);
    assert_eq!((times_due(&world), witness.due()), (1, vec![ours]));

    // It is Bob's, and he is told when he is there.
    write(&world, theirs, BOB);
    until_due_at(&mut agent, Value::Null);
    world.everkey("auth logout").ok();
    assert_eq!(times_due(&world), 1);
    world.login_as(BOB);
    let run = witness.run(1);
    assert_eq!(run["environment"]["EVERKEY_REMINDER_EMAIL"], BOB);
    assert_eq!(witness.due(), [ours, theirs]);
}
