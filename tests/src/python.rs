//! The programs from PyPI that `tools/python.sh` leaves in target/python.

use crate::skip;
use std::path::{Path, PathBuf};

/// Where the project is.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The path of such a program; says loudly that `test` is skipped where it is missing.
pub fn program(test: &str, name: &str) -> Option<PathBuf> {
    let path = root().join("target/python/bin").join(name);
    if !path.is_file() {
        skip::skipped(test, &format!("{name} is missing (python3-venv and PyPI, by ./dev setup)"));
        return None;
    }
    Some(path)
}
