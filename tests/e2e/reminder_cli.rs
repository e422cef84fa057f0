//! `everkey reminder` as a person types it.

use everkey_tests::cli::Output;
use everkey_tests::{ADA, Canned, Fault, Setup, World, until};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Tokyo, where there is no summer time.
fn in_tokyo() -> World {
    let mut world = World::signed_in(Setup::default());
    world.set_env("TZ", "Asia/Tokyo");
    world
}

fn now() -> Zoned {
    Timestamp::now().to_zoned(TimeZone::fixed(Offset::constant(9)))
}

fn get(world: &World) -> Value {
    world.everkey("reminder get --json").exits(0).json()["reminder"].clone()
}

fn at(world: &World) -> i64 {
    get(world)["at"].as_i64().unwrap()
}

fn until_told(world: &World) {
    until("the api-server to know of it", || get(world)["upstream"] == "told");
}

#[test]
fn it_is_set_shown_and_cleared() {
    let world = in_tokyo();
    let said = world.everkey("reminder get").exits(0);
    assert_eq!(said.out, "No reminder is set.\n");
    assert!(said.err.contains("`everkey reminder set` sets one."), "{said:?}");
    assert_eq!(get(&world), Value::Null);

    let said = world.everkey("reminder set").ok();
    let reminder = get(&world);
    let due = Timestamp::from_second(reminder["at"].as_i64().unwrap()).unwrap();
    let due = due.to_zoned(now().time_zone().clone());
    let shown = format!("{} (in 7 days)", due.strftime("%Y-%m-%d %H:%M:%S %:z"));
    assert!(said.starts_with(&format!("Reminder set for {shown}.\nThe api-server ")), "{said}");
    assert_eq!((&reminder["email"], &reminder["due"]), (&json!(ADA), &json!(false)));
    until_told(&world);
    assert_eq!(world.everkey("reminder get").ok(), format!("{shown}\nThe api-server knows it."));
    let status = world.everkey("auth status").ok();
    assert!(status.contains(&format!("\nReminder   {shown}")), "{status}");
    assert_eq!(world.status()["reminder"], get(&world));

    let set = world.everkey("reminder set --in-days 30 --json").exits(0).json();
    assert!((at(&world) - now().timestamp().as_second() - 30 * DAY).abs() < 600);
    assert_eq!(set["reminder"]["at"], at(&world));

    assert_eq!(world.everkey("reminder clear").ok(), "Reminder cleared.");
    assert_eq!(get(&world), Value::Null);
    assert!(!world.everkey("auth status").ok().contains("Reminder"));
    assert_eq!(world.everkey("reminder clear --json").exits(0).json(), json!({ "reminder": null }));
}

#[test]
fn a_time_is_local_unless_it_names_an_offset() {
    let world = in_tokyo();
    let day = now().date().checked_add(10.days()).unwrap();
    let there = |hour: i8| {
        let at = day.at(hour, 0, 0, 0).to_zoned(now().time_zone().clone());
        at.unwrap().timestamp().as_second()
    };
    for (time, expected) in [
        (format!("{day}"), there(9)),
        (format!("{day}T15:00"), there(15)),
        (format!("{day}T03:00Z"), there(12)),
        (format!("{day}T03:00+02:00"), there(10)),
    ] {
        world.everkey(&format!("reminder set --at {time}")).ok();
        assert_eq!(at(&world), expected, "{time}");
    }
    let mut command = world.command(std::path::Path::new(&client(&world)));
    command.args(["reminder", "set", "--at", &format!("{day} 16:00")]);
    let said = everkey_tests::cli::Cli::new(command).run().ok();
    assert!(said.starts_with(&format!("Reminder set for {day} 16:00:00 +09:00 (in ")), "{said}");
    assert_eq!(at(&world), there(16));
}

fn client(world: &World) -> std::path::PathBuf {
    std::path::PathBuf::from(world.agent_command("").get_program()).with_file_name("everkey")
}

#[test]
fn nonsense_is_a_usage_error_and_changes_nothing() {
    let world = in_tokyo();
    world.everkey("reminder set --in-days 9").ok();
    let before = at(&world);
    let far = now().date().checked_add(367.days()).unwrap();
    for (words, said) in [
        ("reminder", "`reminder` takes one of: set"),
        ("reminder set soon", "`reminder` takes one of: set"),
        ("reminder set --in-days 0", "no number of days from 1 to 365"),
        ("reminder set --in-days 366", "no number of days from 1 to 365"),
        ("reminder set --at tomorrow", "is no time; write 2026-12-01"),
        ("reminder set --at 2020-01-01", "2020-01-01 is past"),
        (&format!("reminder set --at {far}"), "is more than 365 days ahead"),
        ("reminder set --in-days 3 --at 2030-01-01", "don't go together"),
        ("reminder get --in-days 3", "--in-days belongs to `reminder set`"),
    ] {
        world.everkey(words).exits(2).complains(said);
    }
    let said = world.everkey("reminder set --in-days 0 --json").exits(2).json();
    assert_eq!((&said["type"], &said["code"]), (&json!("error"), &json!("bad_request")));
    assert_eq!(at(&world), before);
}

#[test]
fn it_needs_somebody_and_a_server_that_reminds() {
    let world = World::new();
    for words in ["reminder set", "reminder get", "reminder clear"] {
        let said: Output = world.everkey(words).exits(1);
        assert!(said.err.starts_with("not signed in\n") && said.out.is_empty(), "{said:?}");
    }
    assert_eq!(world.everkey("reminder get --json").exits(1).json()["code"], "not_signed_in");
    world.everkey("reminder set --profile binboi").exits(2).complains("keeps no reminders");
    world.login();
    world.typed("failproofai reminder set --in-days 2").run().ok();
    let said = world.typed("failproofai reminder get").run().ok();
    assert!(said.contains("(in 2 days)"), "{said}");
    // Another program or profile in use does not change whose it is.
    let said = world.typed("binboi reminder get").run().exits(2);
    assert!(said.err.contains("keeps no reminders"), "{said:?}");
}

#[test]
fn a_reminder_the_server_does_not_know_yet_says_so() {
    let world = in_tokyo();
    world.proxy.every("/v0/reminders", Fault::Answer(Canned::captive_portal()));
    let said = world.everkey("reminder set").ok();
    assert!(said.ends_with("\nThe api-server is being told."), "{said}");
    assert_eq!(get(&world)["upstream"], "pending");
    let said = world.everkey("reminder get").ok();
    let yet = "\nThe api-server does not know it yet; it is told as soon as it can be reached.";
    assert!(said.ends_with(yet), "{said}");
    world.proxy.heal();
    until_told(&world);
}

#[test]
fn a_due_reminder_stays_visible_and_says_what_to_do() {
    let world = in_tokyo();
    let soon = now().timestamp().checked_add(3.seconds()).unwrap();
    world.everkey(&format!("reminder set --at {}", soon.strftime("%Y-%m-%dT%H:%M:%SZ"))).ok();
    until("it to be due", || get(&world)["due"] == true);
    let shown = soon.to_zoned(now().time_zone().clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
    let said = world.everkey("reminder get").ok();
    assert!(said.starts_with(&format!("due since {shown} (")), "{said}");
    let todo = "Then `everkey reminder set` sets the next one, and `everkey reminder clear` ends it.";
    assert!(said.contains(" ago): time for another audit\n") && said.contains(todo), "{said}");
    let status = world.everkey("auth status").ok();
    assert!(status.contains(&format!("\nReminder   due since {shown} (")), "{status}");
    assert!(status.contains(&format!("\n           {todo}")), "{status}");
    assert_eq!(world.status()["reminder"]["due"], true);
    // One that is set anew is not.
    world.everkey("reminder set").ok();
    assert_eq!(get(&world)["due"], false);
}
