//! The simulator: the session core against a scripted server, disk, clocks and other programs, many thousand times.
//!
//! `EVERKEY_SIM_SEEDS=N` runs N schedules instead of the default, `EVERKEY_SIM_FROM=S` starts at another seed,
//! `EVERKEY_SIM_SEED=S` replays one and prints its trace, `EVERKEY_SIM_MUTANT=Name` plants a fault while doing so,
//! `EVERKEY_SIM_MUTANTS=1` with `mutants -- --nocapture` prints which rule catches which planted fault.
#![forbid(unsafe_code)]

mod check;
mod clients;
mod dice;
mod disk;
mod excuses;
mod mutants;
mod network;
mod others;
mod reminders;
mod rules;
mod runner;
mod schedule;
mod server;
mod thief;
mod world;

use mutants::Mutant;
use runner::{mutant_from, number_from, replay, run_all, seeds_of};

/// How many schedules a plain test run takes.
const SCHEDULES: u64 = 20_000;

/// Within how many schedules a planted fault must show.
const MUTANT_SCHEDULES: u64 = 2_000;

#[test]
fn n05_no_schedule_breaks_an_invariant() {
    if let Some(seed) = number_from("EVERKEY_SIM_SEED") {
        println!("{}", replay(seed, mutant_from("EVERKEY_SIM_MUTANT")));
        return;
    }
    let from = number_from("EVERKEY_SIM_FROM").unwrap_or(0);
    let count = number_from("EVERKEY_SIM_SEEDS").unwrap_or(SCHEDULES);
    let outcome = run_all(from..from + count, None);
    println!("{}", outcome.summary());
    if let Some(failure) = outcome.failure {
        panic!("{}", failure.report());
    }
}

#[test]
fn found_failures_stay_fixed() {
    for seed in seeds_of(include_str!("regressions.txt")) {
        let outcome = run_all(seed..seed + 1, None);
        if let Some(failure) = outcome.failure {
            panic!("{}", failure.report());
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mut table = vec![format!("{:<40} {:<8} schedules", "planted fault", "rule")];
    let mut survivors = Vec::new();
    for mutant in Mutant::ALL {
        match run_all(0..MUTANT_SCHEDULES, Some(mutant)).failure {
            Some(failure) => {
                let row = format!("{:<40} {:<8} {}", name(mutant), failure.rule(), failure.seed + 1);
                table.push(row);
            }
            None => survivors.push(mutant),
        }
    }
    if number_from("EVERKEY_SIM_MUTANTS").is_some() {
        println!("{}", table.join("\n"));
    }
    assert_eq!(survivors, [], "planted faults that nothing noticed");
}

fn name(mutant: Mutant) -> String {
    format!("{mutant:?}")
}
