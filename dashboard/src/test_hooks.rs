//! What tests may change by variables. No release has this module.

use std::time::Duration;

/// How long a link works.
pub fn link_life() -> Option<Duration> {
    std::env::var("EVERKEY_TEST_LINK_MS").ok()?.parse().ok().map(Duration::from_millis)
}

/// How long an address stays open while nobody is there.
pub fn idle() -> Option<Duration> {
    std::env::var("EVERKEY_TEST_IDLE_MS").ok()?.parse().ok().map(Duration::from_millis)
}
