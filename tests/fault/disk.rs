//! The trials at system calls: N05, N08, N09 against the real agent, and the order on disk that I1 and I4 demand.

use crate::errors::{ERRORS, fail_at};
use crate::kills::{Trial, kill_at, kill_at_each};
use crate::lane::Lane;
use crate::run::{can, everything, in_lanes, say};
use crate::strace::Role;
use crate::table::{Row, table, total};
use crate::trace::{Point, Step, parse, points, sent_only_what_was_noted, stored_before_published};
use everkey_tests::Setup;
use std::collections::BTreeMap;

/// The points of one undisturbed refresh.
pub fn recorded() -> Vec<Point> {
    recorded_in(&mut Lane::new(Setup::default()))
}

/// The same in a world that is there.
pub fn recorded_in(lane: &mut Lane) -> Vec<Point> {
    let (log, threads) = lane.record();
    let home = lane.world.home().display().to_string();
    points(&parse(&log), &threads, &home)
}

/// Kills: those that change something, unless everything is wanted.
fn killed(points: &[Point]) -> Vec<Row> {
    let setup = Setup::default();
    if everything() {
        let mut calls: BTreeMap<(Role, &str), Vec<&Point>> = BTreeMap::new();
        points.iter().for_each(|point| calls.entry((point.role, &point.syscall)).or_default().push(point));
        let jobs = calls.into_iter().collect();
        let rows = in_lanes("kill -9, calls done", &setup, jobs, |lane, ((role, syscall), points)| {
            kill_at_each(lane, role, syscall, &points)
        });
        return rows.concat();
    }
    let jobs = points.iter().filter(|point| point.changes).collect();
    let rows = in_lanes("kill -9", &setup, jobs, |lane, point: &Point| {
        match kill_at(lane, point.role, &point.syscall, point.nth, true) {
            Trial::Killed(cost) => Some(row(point, cost)),
            Trial::Survived => None,
        }
    });
    rows.into_iter().flatten().collect()
}

fn row(point: &Point, cost: crate::lane::Cost) -> Row {
    let (role, syscall, nth) = (point.role, point.syscall.clone(), point.nth);
    Row { role, syscall, nth, step: Some(point.step), cost }
}

/// The error that the selection takes for a call.
fn likely(syscall: &str) -> &'static str {
    match syscall {
        "fsync" | "fdatasync" => "EIO",
        "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" => "EROFS",
        _ => "ENOSPC",
    }
}

#[test]
fn n05_killed_at_every_call_loses_no_session() {
    if !can("n05_killed_at_every_call_loses_no_session") {
        return;
    }
    let points = recorded();
    let rows = killed(&points);
    say(&table("kill -9 at system calls of a refresh", &rows));
    let wanted = points.iter().filter(|point| everything() || point.changes).count();
    let sum = total(&rows);
    assert_eq!((sum.lost, sum.revoked), (0, 0), "sessions were lost or users revoked");
    assert!(sum.trials * 10 >= wanted * 9, "only {} of {wanted} points were reached", sum.trials);
    assert!(sum.repeats > 0, "no kill was in time to leave a request in doubt");
    // The worker's calls come in the same order every time, so they say what had been done.
    for Row { step, cost, syscall, nth, .. } in rows.iter().filter(|row| row.role == Role::Worker) {
        if let Some(Step::S0) = step {
            assert_eq!(
                cost.requests, 0,
                "killed at {syscall} {nth} before the intent, yet something was sent"
            );
        }
        if let Some(Step::S5File | Step::S6) = step {
            assert_eq!(
                cost.repeats, 0,
                "killed at {syscall} {nth} with the outcome stored, yet it was asked for again"
            );
        }
    }
}

#[test]
fn n08_n09_failed_at_every_call_sends_nothing_unnoted_and_recovers() {
    if !can("n08_n09_failed_at_every_call_sends_nothing_unnoted_and_recovers") {
        return;
    }
    let points = recorded();
    let files: Vec<&Point> =
        points.iter().filter(|point| point.role == Role::Worker && point.on_file).collect();
    let jobs: Vec<(&Point, &str)> = if everything() {
        files.iter().flat_map(|point| ERRORS.map(|error| (*point, error))).collect()
    } else {
        // The looks of S5 too: what can't be read there must not be taken for another program's.
        let looks = |point: &&&Point| {
            point.step == Step::S5File && ["open", "openat"].contains(&point.syscall.as_str())
        };
        let telling = files.iter().filter(|point| point.changes || looks(point));
        telling.map(|point| (*point, likely(&point.syscall))).collect()
    };
    let wanted = jobs.len();
    let rows = in_lanes("failing calls", &Setup::default(), jobs, |lane, (point, error)| {
        let cost = fail_at(lane, point, error)?;
        let row = row(point, cost);
        Some(Row { syscall: format!("{} {error}", row.syscall), ..row })
    });
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    say(&table("failing system calls of a refresh", &rows));
    let sum = total(&rows);
    assert_eq!((sum.lost, sum.revoked), (0, 0), "sessions were lost or users revoked");
    assert!(sum.trials * 10 >= wanted * 9, "only {} of {wanted} points were reached", sum.trials);
}

#[test]
fn n05_the_order_on_disk_is_intent_request_outcome_file_answer() {
    if !can("n05_the_order_on_disk_is_intent_request_outcome_file_answer") {
        return;
    }
    let mut lane = Lane::new(Setup::default());
    let (log, _) = lane.record();
    let calls = parse(&log);
    assert_eq!(
        calls.iter().filter(|call| call.sends_refresh()).count(),
        1,
        "one refresh, one request\n{log}"
    );
    sent_only_what_was_noted(&calls).unwrap_or_else(|wrong| panic!("{wrong}\n{log}"));
    stored_before_published(&calls).unwrap_or_else(|wrong| panic!("{wrong}\n{log}"));
}
