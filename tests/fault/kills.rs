//! N05: kill -9 at every system call of a refresh, start again, and look what is left.

use crate::lane::{Cost, Lane};
use crate::run::Trying;
use crate::strace::{NO_NEW_THREADS, Role, Strace};
use crate::table::Row;
use crate::trace::Point;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

/// How long a call that was recorded may take to come; and one that was not.
const EXPECTED: Duration = Duration::from_secs(3);
const UNEXPECTED: Duration = Duration::from_millis(300);

/// What became of one trial.
pub enum Trial {
    /// The agent was killed there, and this is what it cost.
    Killed(Cost),
    /// The refresh makes fewer such calls.
    Survived,
}

/// Kills the agent before the nth such call of this thread, and lets the next one recover.
/// `expected` if a recorded refresh made as many.
pub fn kill_at(lane: &mut Lane, role: Role, syscall: &str, nth: usize, expected: bool) -> Trial {
    let _trying = Trying(format!("kill -9 at {role:?} {syscall} {nth}"));
    let died = die_at(lane, role, syscall, nth, expected);
    // What a refresh has cost that survived is no kill's.
    let cost = lane.verdict();
    if died { Trial::Killed(cost) } else { Trial::Survived }
}

/// Starts a new agent and a refresh, and kills the agent before this call. False if the refresh never got there.
pub fn die_at(lane: &mut Lane, role: Role, syscall: &str, nth: usize, expected: bool) -> bool {
    loop {
        let (threads, lines) = lane.fresh_agent();
        let Some(thread) = threads.id(role) else { return false };
        let kill = format!("inject={syscall}:signal=SIGKILL:when={nth}");
        let traced = format!("trace={syscall},clone,clone3,connect,writev,epoll_wait,recvfrom");
        let (log, calm) = (lane.log("kill"), lane.log("calm"));
        let Some(killer) = Strace::attach(log, &[thread], &[&traced, NO_NEW_THREADS, &kill]) else {
            continue;
        };
        let others = (role != Role::Main)
            .then(|| Strace::attach(calm, &[threads.main], &["trace=clone,clone3", NO_NEW_THREADS]));
        if matches!(others, Some(None)) {
            continue;
        }
        let _answer = lane.refresh(lines);
        if !dies(lane, if expected { EXPECTED } else { UNEXPECTED }) {
            return false;
        }
        let status = lane.agent().ended();
        drop((killer, others));
        // A worker that went idle for too long can't be replaced under strace; that was no trial.
        if status.signal() == Some(Signal::KILL.as_raw()) {
            return true;
        }
        lane.verdict();
    }
}

/// Kills at this call for one number after the other until a refresh survives.
pub fn kill_at_each(lane: &mut Lane, role: Role, syscall: &str, points: &[&Point]) -> Vec<Row> {
    let mut rows = Vec::new();
    for nth in 1.. {
        let step = points.iter().find(|point| point.nth == nth).map(|point| point.step);
        match kill_at(lane, role, syscall, nth, step.is_some()) {
            Trial::Killed(cost) => rows.push(Row { role, syscall: syscall.to_owned(), nth, step, cost }),
            // One that came in the recording may stay away by chance, but none comes after the last.
            Trial::Survived if step.is_some() => {}
            Trial::Survived => break,
        }
        // The watcher hears of every look that somebody takes at the folder: it never runs out of calls.
        if role == Role::Watcher && step.is_none() {
            break;
        }
    }
    rows
}

/// Waits for the agent's end, as long as a refresh can still be under way and a little longer.
fn dies(lane: &mut Lane, patience: Duration) -> bool {
    let mut settled: Option<Instant> = None;
    loop {
        if !lane.agent().is_running() {
            return true;
        }
        let since = *settled.get_or_insert_with(Instant::now);
        if !lane.is_settled() {
            settled = None;
        } else if since.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
