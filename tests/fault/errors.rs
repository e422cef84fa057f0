//! The same loop with calls that fail: ENOSPC, EIO, EROFS, EINTR. Nothing dies; the agent must recover by itself.

use crate::lane::{Cost, Lane};
use crate::run::Trying;
use crate::strace::{NO_NEW_THREADS, Strace};
use crate::trace::{Point, parse, sent_only_what_was_noted};
use std::time::{Duration, Instant};

/// The errors.
pub const ERRORS: [&str; 4] = ["ENOSPC", "EIO", "EROFS", "EINTR"];

/// How often another call than the recorded one may be failed before the point counts as not reached.
const MOST_MISSES: u32 = 4;

/// How long a call that was recorded may take to come.
const EXPECTED: Duration = Duration::from_secs(3);

/// Fails this call of the worker with `error`; none if the refresh did not make it this time.
pub fn fail_at(lane: &mut Lane, point: &Point, error: &str) -> Option<Cost> {
    let (syscall, nth) = (&point.syscall, point.nth);
    let what = format!("{error} at {syscall} {nth} ({})", point.step);
    let _trying = Trying(what.clone());
    let mut misses = 0;
    loop {
        let (threads, lines) = lane.fresh_agent();
        let before = lane.world.session_text("access_token");
        let inject = format!("inject={syscall}:error={error}:when={nth}");
        let (log, calm) = (lane.log("fail"), lane.log("main"));
        let Some(failing) = Strace::attach(log, &[threads.worker], &[NO_NEW_THREADS, &inject]) else {
            continue;
        };
        let Some(main) = Strace::attach(calm, &[threads.main], &[NO_NEW_THREADS]) else { continue };
        let answer = lane.refresh(lines);
        let token = answer.is_some().then(|| lane.world.everkey("auth token"));
        if failing.has_missed() {
            misses += 1;
            if misses < MOST_MISSES {
                continue;
            }
            return None;
        }
        let (Some(answer), Some(token)) = (answer, token) else { panic!("{what}: the agent died") };
        // Whatever the answer, a token is served: the old one, or the new one if it is stored by now.
        let token = token.ok();
        assert_eq!(lane.world.server.me(&token), 200, "{what}: {answer}");
        let served_old = token == before;
        let reached = came(lane, &failing);
        // First the sender, so that no request is seen whose intent is not.
        let (main, failing) = (main.end(), failing.end());
        assert!(lane.agent().is_running(), "{what}: the agent died");
        let mut calls = parse(&failing);
        calls.extend(parse(&main));
        if let Err(wrong) = sent_only_what_was_noted(&calls) {
            panic!("{what}: {wrong} (I1)\n{failing}\n{main}");
        }
        if !answer.contains("refreshed") && calls.iter().all(|call| !call.sends_refresh()) {
            assert!(served_old, "{what}: nothing was sent, yet another token was served");
        }
        let pid = lane.agent().pid();
        let cost = lane.verdict();
        assert_eq!(lane.agent().pid(), pid, "{what}: it took a new agent to recover");
        return reached.then_some(cost);
    }
}

/// Waits until the call has been failed, or surely will not come any more.
fn came(lane: &Lane, strace: &Strace) -> bool {
    let mut settled: Option<Instant> = None;
    loop {
        if strace.has_injected() {
            return true;
        }
        let since = *settled.get_or_insert_with(Instant::now);
        if !lane.is_settled() {
            settled = None;
        } else if since.elapsed() > EXPECTED {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
