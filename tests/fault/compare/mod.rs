//! The comparison: the same faults for everkey and for today's way, at everkey's own server, at the same one when it
//! repeats nothing, and at ordinary OAuth servers. In half of the trials at our own another tool that knows no lock
//! refreshes the same token without a key (F11).

mod at;
mod contestant;
mod ordinary;
mod trials;

use crate::lane::Cost;
use crate::run::{can, everything, say};
use contestant::{Contestant, System};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Mutex;
use trials::{Trial, all, few};

/// Whether the other tool takes no part, or takes part.
const ALONE_AND_CONTESTED: [bool; 2] = [false, true];

/// Most of a trial is waiting for an expiry or a deadline.
const LANES: usize = 10;

/// What came of one trial.
struct Outcome {
    system: System,
    trial: Trial,
    /// Whether the other tool took part.
    contested: bool,
    cost: Cost,
    /// Calls that ended without a token that works.
    failed_calls: usize,
    calls: usize,
}

/// Every system meets every trial, alone or contested or both, `times` times.
fn compare(systems: &[System], trials: &[Trial], contested: &[bool], times: usize) -> Vec<Outcome> {
    let mut jobs = VecDeque::new();
    for _ in 0..times {
        for trial in trials {
            for contested in contested {
                jobs.extend(systems.iter().map(|system| (*system, *trial, *contested)));
            }
        }
    }
    let total = jobs.len();
    let (jobs, outcomes) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let take = |system: Option<System>| {
        let mut jobs = jobs.lock().expect("no lane panics while it holds this");
        let at = jobs.iter().position(|(of, _, _)| system.is_none_or(|system| system == *of))?;
        jobs.remove(at)
    };
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(total) {
            scope.spawn(|| {
                // A lane stays with the system it began with as long as there is work for it.
                while let Some((system, trial, contested)) = take(None) {
                    let mut contestant = Contestant::new(system);
                    let mut next = Some((trial, contested));
                    while let Some((trial, contested)) = next {
                        let outcome = trials::run(&mut contestant, trial, contested);
                        let mut outcomes = outcomes.lock().expect("no lane panics while it holds this");
                        outcomes.push(outcome);
                        if everything() && outcomes.len() % 20 == 0 {
                            say(&format!("compare: {} of {total}", outcomes.len()));
                        }
                        drop(outcomes);
                        next = take(Some(system)).map(|(_, trial, contested)| (trial, contested));
                    }
                }
            });
        }
    });
    outcomes.into_inner().expect("no lane panics while it holds this")
}

/// The sum over some outcomes.
fn sum<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> (Cost, usize, usize) {
    outcomes.fold((Cost::default(), 0, 0), |(mut cost, failed, calls), outcome| {
        cost += outcome.cost;
        (cost, failed + outcome.failed_calls, calls + outcome.calls)
    })
}

/// The summary, then every trial, as Markdown.
fn report(outcomes: &[Outcome], systems: &[System], contested: &[bool]) -> String {
    let mut text = "\n| | trials | sessions lost | users revoked everywhere | calls without a working token | requests per trial, nothing failing |\n\
                    | --- | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let columns = || contested.iter().flat_map(|c| systems.iter().map(|system| (*system, *c)));
    for (system, contested) in columns() {
        let of = || outcomes.iter().filter(move |o| o.system == system && o.contested == contested);
        let (cost, failed, calls) = sum(of());
        let (calm, ..) = sum(of().filter(|o| o.trial.is_calm() && !contested));
        let per_trial = match (contested, calm.trials) {
            (true, _) | (false, 0) => "-".to_owned(),
            (false, trials) => format!("{}/{trials}", calm.requests),
        };
        let name = if contested {
            format!("{system}, and a tool that ignores the lock")
        } else {
            format!("{system}")
        };
        let Cost { trials, lost, revoked, .. } = cost;
        let _ =
            writeln!(text, "| {name} | {trials} | {lost} | {revoked} | {failed} of {calls} | {per_trial} |");
    }
    text.push_str("\nEach cell: sessions lost / users revoked everywhere, of so many trials.\n\n| trial |");
    for (system, contested) in columns() {
        let _ = write!(text, " {}{} |", system.short(), if contested { " + tool" } else { "" });
    }
    text.push_str("\n| --- |");
    columns().for_each(|_| text.push_str(" ---: |"));
    text.push('\n');
    let trials: BTreeMap<Trial, ()> = outcomes.iter().map(|o| (o.trial, ())).collect();
    for trial in trials.keys() {
        let _ = write!(text, "| {trial} |");
        for (system, contested) in columns() {
            let of =
                outcomes.iter().filter(|o| (o.system, o.contested, o.trial) == (system, contested, *trial));
            let (Cost { trials, lost, revoked, .. }, ..) = sum(of);
            let _ = write!(text, " {lost} / {revoked} of {trials} |");
        }
        text.push('\n');
    }
    text
}

#[test]
fn n05_f11_compare_with_todays_way() {
    if !can("n05_f11_compare_with_todays_way") {
        return;
    }
    let (trials, times) = if everything() { (all(), 3) } else { (few(), 1) };
    let outcomes = compare(&System::OWN, &trials, &ALONE_AND_CONTESTED, times);
    say(&report(&outcomes, &System::OWN, &ALONE_AND_CONTESTED));
    for outcome in &outcomes {
        let Outcome { system, trial, contested, cost, .. } = outcome;
        let what = format!("{system}, {trial}, contested: {contested}: {cost:?}");
        match system {
            System::Everkey => {
                assert_eq!((cost.lost, cost.revoked), (0, 0), "{what}");
                if trial.is_calm() && !contested {
                    assert!(cost.rotations > 0 && cost.requests == cost.rotations, "{what}");
                }
            }
            // A strict server takes the other tool's request for theft, whatever everkey does.
            System::Strict if *contested => {}
            System::Strict => assert_eq!(cost.revoked, 0, "{what}"),
            System::Today | System::Ordinary(_) | System::TodayOrdinary(_) => {}
        }
    }
    let today = sum(outcomes.iter().filter(|o| o.system == System::Today && !o.contested)).0;
    assert!(today.lost > 0, "the model of today's way loses nothing: it does not show what it is for");
}
