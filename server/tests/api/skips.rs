//! Saying loudly what does not run on this machine.

/// Writes it where `./dev test` looks for it.
pub fn skipped(what: &str, why: &str) {
    use std::io::Write as _;
    eprintln!("SKIPPED {what}: {why}");
    if let Some(path) = std::env::var_os("EVERKEY_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "SKIPPED {what}: {why}").unwrap();
    }
}
