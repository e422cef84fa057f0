//! Runs schedules on two threads and reports the failing one with the smallest seed.
// The runner, unlike what it runs, looks at the clock and the environment.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

use crate::check::Breach;
use crate::mutants::Mutant;
use crate::world::{Stats, World};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const THREADS: u64 = 2;

/// A schedule that broke a rule.
pub struct Failure {
    pub seed: u64,
    mutant: Option<Mutant>,
    breach: Breach,
}

/// What a run came to.
pub struct Outcome {
    pub failure: Option<Failure>,
    schedules: u64,
    total: Stats,
    took: Duration,
}

/// Runs the schedules of these seeds.
pub fn run_all(seeds: Range<u64>, mutant: Option<Mutant>) -> Outcome {
    let begun = Instant::now();
    let lowest = AtomicU64::new(u64::MAX);
    let parts: Vec<(Stats, u64, Option<Failure>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|part| {
                let (seeds, lowest) = (seeds.clone(), &lowest);
                scope.spawn(move || run_part(seeds, part, mutant, lowest))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    assert_eq!(parts.len() as u64, THREADS, "a thread of the simulator panicked");
    let mut outcome = Outcome { failure: None, schedules: 0, total: Stats::default(), took: begun.elapsed() };
    for (stats, schedules, failure) in parts {
        outcome.schedules += schedules;
        outcome.total = add(outcome.total, stats);
        outcome.failure = [outcome.failure.take(), failure].into_iter().flatten().min_by_key(|f| f.seed);
    }
    outcome
}

fn run_part(
    seeds: Range<u64>,
    part: u64,
    mutant: Option<Mutant>,
    lowest: &AtomicU64,
) -> (Stats, u64, Option<Failure>) {
    let (mut total, mut schedules) = (Stats::default(), 0);
    for seed in seeds.filter(|seed| seed % THREADS == part) {
        if lowest.load(Ordering::Relaxed) < seed {
            break;
        }
        schedules += 1;
        match World::new(seed, mutant, false).run().0 {
            Ok(stats) => total = add(total, stats),
            Err(breach) => {
                lowest.fetch_min(seed, Ordering::Relaxed);
                return (total, schedules, Some(Failure { seed, mutant, breach }));
            }
        }
    }
    (total, schedules, None)
}

fn add(a: Stats, b: Stats) -> Stats {
    Stats {
        events: a.events + b.events,
        rotations: a.rotations + b.rotations,
        requests: a.requests + b.requests,
        lives: a.lives + b.lives,
    }
}

/// The trace of one schedule.
pub fn replay(seed: u64, mutant: Option<Mutant>) -> String {
    let (outcome, trace) = World::new(seed, mutant, true).run();
    let end = match outcome {
        Ok(stats) => format!("breaks nothing: {stats:?}"),
        Err(breach) => format!("{breach:?}"),
    };
    format!("{}\nseed {seed}: {end}", trace.join("\n"))
}

impl Failure {
    pub fn rule(&self) -> String {
        format!("{:?}", self.breach.rule)
    }

    /// What happened up to the breach, and how to see it again.
    pub fn report(&self) -> String {
        let trace = replay(self.seed, self.mutant);
        format!(
            "{trace}\nreplay with EVERKEY_SIM_SEED={} cargo test -p everkey-session --test sim",
            self.seed
        )
    }
}

impl Outcome {
    pub fn summary(&self) -> String {
        let Stats { events, rotations, requests, lives } = self.total;
        let secs = self.took.as_secs_f64();
        format!(
            "{} schedules in {secs:.1} s: {events} events, {rotations} rotations, {requests} requests, {lives} crashes",
            self.schedules
        )
    }
}

/// A number from the environment.
pub fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A planted fault by its name in the environment.
pub fn mutant_from(variable: &str) -> Option<Mutant> {
    let name = std::env::var(variable).ok()?;
    Mutant::ALL.into_iter().find(|mutant| format!("{mutant:?}") == name)
}

/// One seed a line; what follows it says what it found.
pub fn seeds_of(text: &str) -> impl Iterator<Item = u64> {
    text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok())
}
