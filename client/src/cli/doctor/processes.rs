//! Which process holds a lock, and how a process is, as `/proc` says.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that is seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenProcess {
    pub pid: u32,
    /// What it is called; empty where nobody says.
    pub name: String,
    /// Whether it was stopped, as by Ctrl-Z or SIGSTOP.
    pub is_stopped: bool,
}

impl SeenProcess {
    /// As a sentence has it: `process 4711 (everkeyd)`.
    pub fn shown(&self) -> String {
        match &*self.name {
            "" => format!("process {}", self.pid),
            name => format!("process {} ({name})", self.pid),
        }
    }
}

/// Who holds the lock (`flock`) on a file, found without touching it; none where nobody does, or nobody says.
pub fn holder(lock: &Path) -> Option<SeenProcess> {
    let inode = lock.symlink_metadata().ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    holder_in(&locks, inode).map(seen)
}

/// Of file systems that span devices the kernel names another device here than to `stat`, so the inode alone counts.
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // Who waits has an arrow as the second field.
        let [_, "FLOCK", _, _, pid, file, ..] = fields.as_slice() else { return None };
        let found = file.rsplit(':').next()?.parse::<u64>().ok()?;
        // Of a process elsewhere, as outside a container, the number is 0 or below.
        pid.parse().ok().filter(|pid| found == inode && *pid > 0)
    })
}

fn seen(pid: u32) -> SeenProcess {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    let (name, state) = name.unwrap_or_default();
    SeenProcess { pid, name: name.to_owned(), is_stopped: state.trim_start().starts_with(['T', 't']) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  READ 7 fe:01:42 0 EOF\n2: FLOCK  ADVISORY  WRITE 11 fe:01:42 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 12 fe:01:42 0 EOF\n3: FLOCK  ADVISORY  WRITE 0 fe:01:43 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE -1 fe:01:44 0 EOF\n";
        assert_eq!(holder_in(locks, 42), Some(11));
        assert_eq!([43, 44, 45].map(|inode| holder_in(locks, inode)), [None; 3]);
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(holder(file.path()), None);
        file.as_file().lock().unwrap();
        assert_eq!(
            holder(file.path()).map(|one| (one.pid, one.is_stopped)),
            Some((std::process::id(), false))
        );
    }
}
