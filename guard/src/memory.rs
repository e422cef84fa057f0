//! Secrets in memory stay there. Measured on Linux 6.18: a core limit of 0 stops dumps into files but none that are piped to
//! a program; a limit of 1 stops both, and none that are sent to a socket; a process that is not dumpable has no dump at all.

use rustix::io;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// No core dump, and no debugger of another program of this user. What `/proc` says of the process is root's to read then.
///
/// # Errors
/// What the system says against it.
pub fn close() -> io::Result<()> {
    limit(0)?;
    close_to_debuggers()
}

/// No core dump of a process whose program others have to see: the agent notes who was handed a token.
///
/// # Errors
/// As [`close`].
pub fn forbid_core_dumps() -> io::Result<()> {
    let most = getrlimit(Resource::Core).maximum.unwrap_or(u64::MAX).min(1);
    limit(most)?;
    if limit_counts(&core_pattern(), most) { Ok(()) } else { close_to_debuggers() }
}

fn limit(bytes: u64) -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(bytes), maximum: Some(bytes) })
}

/// Whether dumps that go where this pattern says keep to such a limit.
fn limit_counts(pattern: &str, limit: u64) -> bool {
    match pattern.as_bytes().first() {
        Some(b'|') => limit == 1,
        Some(b'@') => false,
        Some(_) => true,
        None => cfg!(not(target_os = "linux")),
    }
}

fn core_pattern() -> String {
    std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn close_to_debuggers() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn close_to_debuggers() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_counts_for_files_and_half_for_programs() {
        assert!(limit_counts("core\n", 0) && limit_counts("/var/crash/%p", 1));
        assert!(limit_counts("|/usr/lib/systemd/systemd-coredump %P", 1));
        assert!(!limit_counts("|/usr/lib/systemd/systemd-coredump %P", 0));
        assert!(!limit_counts("@/run/coredump.socket", 1));
        #[cfg(target_os = "linux")]
        assert!(!limit_counts("", 1), "who can't look expects the worst");
    }
}
