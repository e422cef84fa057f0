//! N16: kill -9 for the api-server at the system calls with which it rotates; the agent must not mind.

use crate::lane::{Cost, Lane};
use crate::run::{can, everything, in_lanes, say};
use crate::strace::{Role, Strace};
use crate::table::{Row, table, total};
use everkey_tests::{Setup, eventually};

/// What it does to the outside: its database and its answer.
const ALL: [&str; 10] = [
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "writev",
    "sendto",
    "recvfrom",
    "read",
];

/// What a commit and an answer can't do without.
const SOME: [&str; 5] = ["pwrite64", "fsync", "fdatasync", "writev", "sendto"];

/// No refresh makes so many calls of one kind; a loop that gets there is not about a refresh.
const TOO_MANY: usize = 60;

/// The server's threads.
fn threads(server: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{server}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

/// Kills the server at the nth such call of any of its threads; none if it made fewer for one refresh.
fn kill_at(lane: &mut Lane, syscall: &str, nth: usize) -> Option<Cost> {
    lane.start_if_needed();
    let kill = format!("inject={syscall}:signal=SIGKILL:when={nth}");
    let traced = format!("trace={syscall}");
    let before = lane.world.session_text("refresh_token");
    let strace = eventually("strace at a server whose threads stay", || {
        let threads = threads(lane.world.server.process().pid());
        Strace::attach(lane.log("server"), &threads, &[&traced, &kill])
    });
    let mut lines = lane.world.lines();
    lane.ask(&mut lines);
    let died = eventually("the server's end, or the refresh's", || {
        let died = !lane.world.server.process().is_running();
        let done = lane.is_settled() && lane.world.session_text("refresh_token") != before;
        (died || done).then_some(died)
    });
    drop(strace);
    if died {
        lane.world.server.start_again();
        lane.world.proxy.set_upstream(lane.world.server.url());
    }
    let cost = lane.verdict();
    died.then_some(cost)
}

#[test]
fn n16_a_server_killed_at_any_call_loses_no_session() {
    if !can("n16_a_server_killed_at_any_call_loses_no_session") {
        return;
    }
    let calls = if everything() { ALL.to_vec() } else { SOME.to_vec() };
    let rows = in_lanes("server killed", &Setup::default(), calls, |lane, syscall| {
        let costs = (1..TOO_MANY).map_while(|nth| Some((nth, kill_at(lane, syscall, nth)?)));
        let row =
            |(nth, cost)| Row { role: Role::Server, syscall: syscall.to_owned(), nth, step: None, cost };
        costs.map(row).collect::<Vec<Row>>()
    });
    let rows = rows.concat();
    say(&table("kill -9 at system calls of the api-server", &rows));
    let sum = total(&rows);
    assert_eq!((sum.lost, sum.revoked), (0, 0), "sessions were lost or users revoked");
    assert!(sum.repeats > 0, "no kill was in time to leave a request in doubt");
}
