//! Says on a terminal what is waited for, once it takes over a second, and takes that back when it has come.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// After this time a person wonders; and as often the line changes.
const A_WHILE: Duration = Duration::from_secs(1);

/// What is waited for while a command asks the agent about itself, or until there is one.
pub const AGENT: &str = "the agent";

/// What is waited for where the agent asks a server before it answers.
pub const SERVER: &str = "the server";

/// Does the work, which prints and asks nothing.
pub fn during<T>(awaited: &'static str, work: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    let (done, is_done) = channel::<()>();
    let watch = thread::spawn(move || {
        let began = Instant::now();
        let mut shown = 0;
        while let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(A_WHILE) {
            let line = format!("Waiting for {awaited} ({} s)", began.elapsed().as_secs());
            shown = line.len();
            let _ = write!(stderr(), "\r{line}");
        }
        if shown > 0 {
            let _ = write!(stderr(), "\r{:shown$}\r", "");
        }
    });
    let result = work();
    drop(done);
    let _ = watch.join();
    result
}
