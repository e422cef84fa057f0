//! Tests that need what this machine lacks say so loudly instead of passing quietly.

use std::fs::File;
use std::io::{Write, stderr};

/// Tells that a test was skipped: on stderr past libtest's capture, and in the file that `EVERKEY_SKIPS` names.
pub fn skipped(test: &str, why: &str) {
    let line = format!("SKIPPED {test}: {why}\n");
    let _ = stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("EVERKEY_SKIPS").filter(|path| !path.is_empty()) {
        let list = File::options().append(true).create(true).open(path);
        let _ = list.and_then(|mut list| list.write_all(line.as_bytes()));
    }
}

/// Whether a program can be found on the PATH.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Whether this is root, who may become somebody else.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
