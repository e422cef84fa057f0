//! A disk without room, before and after the server has rotated (N08, N09).

use everkey_tests::disk::Disk;
use everkey_tests::skip::skipped;
use everkey_tests::{ADA, Setup, World, until};

/// A world whose session folder is on a small disk; none, said loudly, where none can be mounted.
fn small_disk(test: &str) -> Option<(World, Disk)> {
    let world = World::new();
    let Some(disk) = Disk::mount(&world.auth_dir(), world.uid()) else {
        skipped(test, "no file system can be mounted here");
        return None;
    };
    world.login();
    Some((world, disk))
}

#[test]
fn n08_without_room_nothing_is_sent_and_the_token_still_served() {
    let Some((world, disk)) = small_disk("n08_without_room_nothing_is_sent_and_the_token_still_served")
    else {
        return;
    };
    let refresh = world.session_text("refresh_token");
    disk.fill();
    world.everkey("auth refresh").exits(7).complains("No space left on device");
    assert_eq!(world.proxy.refreshes(), 0);
    assert_eq!(world.session_text("refresh_token"), refresh);
    assert_eq!(world.server.me(&world.token()), 200);
    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    disk.free();
    world.until_state("valid");
    until("the refresh to be made up for", || world.server.events("rotated") == 1);
}

#[test]
fn n08_a_limit_on_file_sizes_is_told_as_well() {
    let world = World::signed_in(Setup::default());
    world.stop_agent();
    let mut command = world.command("sh");
    let program = world.agent_command("").get_program().to_owned();
    // 32 KiB: enough for a session and a log, not for a journal with room for an answer.
    command.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" --foreground"]).arg(program);
    let agent = world.spawn_logged(&mut command);
    until("the agent to answer", || world.find_agent() == Some(agent.pid()));
    world.everkey("auth refresh").exits(7).complains("too large");
    assert_eq!(world.proxy.refreshes(), 0);
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn n09_without_space_the_pair_is_stored_later() {
    let test = "n09_without_space_the_pair_is_stored_later";
    let Some((world, disk)) = small_disk(test) else {
        return;
    };
    let old = world.session().unwrap();
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    disk.fill();
    gate.open();
    caller.finish().exits(7).complains("No space left on device");
    assert_eq!(world.session().unwrap(), old);
    assert_eq!(world.token(), old["access_token"].as_str().unwrap(), "nothing unstored is given out (I4)");

    disk.free();
    until("the successor in the file", || world.session().unwrap() != old);
    world.until_state("valid");
    assert_eq!((world.proxy.refreshes(), world.server.events("rotated")), (1, 1));
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn f08_a_journaled_outcome_is_rolled_forward_without_sending() {
    let test = "f08_a_journaled_outcome_is_rolled_forward_without_sending";
    let Some((world, disk)) = small_disk(test) else {
        return;
    };
    let old = world.session().unwrap();
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    disk.fill();
    gate.open();
    caller.finish().exits(7);
    world.kill_agent();
    disk.free();
    world.everkey("auth whoami").ok();
    until("the successor in the file", || world.session().unwrap() != old);
    assert_eq!(world.proxy.refreshes(), 1, "an outcome in the journal is rolled forward, nothing is sent");
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn a_sign_in_without_space_fails_and_leaves_nothing() {
    let world = World::new();
    let Some(disk) = Disk::mount(&world.auth_dir(), world.uid()) else {
        return skipped("a_sign_in_without_space_fails_and_leaves_nothing", "nothing can be mounted here");
    };
    world.everkey("auth whoami").exits(1);
    disk.fill();
    let mut talk = world.start("auth login --json");
    talk.json();
    talk.say(ADA);
    talk.json();
    talk.say(&world.server.code_after(ADA, 0));
    assert_eq!(talk.json()["code"], "storage");
    talk.finish().exits(7);
    assert!(!world.auth_file().exists());
    until("the session that nobody can keep to be taken back", || world.server.events("logout") == 1);
    disk.free();
    world.login();
}
