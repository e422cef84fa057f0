//! What tests may change by variables. No release has this module.

/// The least time between automatic refreshes of one session, in milliseconds.
pub fn refresh_gap_ms() -> Option<u64> {
    std::env::var("EVERKEY_TEST_REFRESH_GAP_MS").ok()?.parse().ok()
}

/// The version that the agent says it is of.
pub fn version() -> Option<String> {
    std::env::var("EVERKEY_TEST_VERSION").ok()
}
