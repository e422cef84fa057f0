//! The only way to wait: for a condition, with a deadline that no healthy machine comes near.

use std::time::{Duration, Instant};

/// How long anything may take before it counts as never happening.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often conditions are looked at.
const POLL: Duration = Duration::from_millis(10);

/// Waits until `look` finds something, and returns it. Panics, naming `what`, after [`PATIENCE`].
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(POLL);
    }
}

/// Waits until `holds` says yes.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, || holds().then_some(()));
}
