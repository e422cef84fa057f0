//! Tests that need what this machine or this database lacks say so instead of passing quietly.

use std::fs::File;
use std::io::{Write as _, stderr};

/// Writes it on stderr past libtest's capture, and where `./dev test` looks for it.
pub fn skipped(test: &str, why: &str) {
    let line = format!("SKIPPED {test}: {why}\n");
    stderr().write_all(line.as_bytes()).unwrap();
    if let Some(path) = std::env::var_os("EVERKEY_SKIPS").filter(|path| !path.is_empty()) {
        let mut list = File::options().append(true).create(true).open(path).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

/// Says that a test is about the other database. `./dev test` runs these tests on both, so it is not skipped there.
pub fn not_on_this_database(test: &str, where_it_runs: &str) {
    let line = format!("NOT HERE {test}: it runs on {where_it_runs}\n");
    stderr().write_all(line.as_bytes()).unwrap();
}
