//! Runs trials side by side, each lane in a world of its own, and says how far it is.

use crate::lane::Lane;
use crate::strace;
use everkey_tests::{Setup, skip::skipped};
use std::collections::VecDeque;
use std::io::{Write, stderr};
use std::sync::Mutex;
use std::thread;

/// How many worlds at a time: most of a trial is waiting.
const LANES: usize = 3;

/// Whether everything is to be run.
pub fn everything() -> bool {
    std::env::var("EVERKEY_FAULT").is_ok_and(|wanted| wanted == "all")
}

/// Names what was tried when it ends in a panic.
pub struct Trying(pub String);

impl Drop for Trying {
    fn drop(&mut self) {
        if thread::panicking() {
            say(&format!("this went wrong with: {}", self.0));
        }
    }
}

/// Says something past libtest's capture.
pub fn say(text: &str) {
    let _ = stderr().write_all(format!("{text}\n").as_bytes());
}

/// Whether the trials can run here; says so loudly if not.
pub fn can(test: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    if !everkey_tests::skip::is_root() {
        skipped(test, "the agent guards its memory: only root may attach strace to it");
        return false;
    }
    if !strace::works(folder.path()) {
        skipped(test, "strace is missing or may not attach here");
        return false;
    }
    true
}

/// Does `work` for each job, in lanes made with `setup`; the results in no particular order.
pub fn in_lanes<J: Send, R: Send>(
    title: &str,
    setup: &Setup,
    jobs: Vec<J>,
    work: impl Fn(&mut Lane, J) -> R + Sync,
) -> Vec<R> {
    let total = jobs.len();
    let (queue, results) = (Mutex::new(VecDeque::from(jobs)), Mutex::new(Vec::new()));
    let next = || queue.lock().expect("no lane panics while it holds this").pop_front();
    thread::scope(|scope| {
        for _ in 0..LANES.min(total) {
            scope.spawn(|| {
                let mut lane = Lane::new(setup.clone());
                while let Some(job) = next() {
                    let result = work(&mut lane, job);
                    let mut results = results.lock().expect("no lane panics while it holds this");
                    results.push(result);
                    if everything() {
                        say(&format!("{title}: {} of {total}", results.len()));
                    }
                }
            });
        }
    });
    results.into_inner().expect("no lane panics while it holds this")
}
