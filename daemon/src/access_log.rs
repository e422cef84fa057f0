//! Who was handed which profile's token and when: one JSON object a line, no secrets, two files of bounded size.

use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// When the log is this long, in bytes, it becomes the older of the two.
const LONG: u64 = 1024 * 1024;

/// The log file. Lines are added by many workers; the lock keeps two of them from making room at once, the second of
/// which would put the first's few lines in the place of the older file.
#[derive(Debug, Clone)]
pub struct AccessLog(Arc<Mutex<PathBuf>>);

/// A token that was handed out.
#[derive(Debug, Serialize)]
pub struct Handed {
    /// Unix seconds.
    pub at: u64,
    /// Whose token.
    pub profile: String,
    /// To which process.
    pub pid: i32,
    /// What that process ran, as far as the system tells.
    pub program: Option<String>,
}

impl AccessLog {
    /// The log in the state folder.
    pub fn in_state(state: &Path) -> Self {
        Self(Arc::new(Mutex::new(state.join("access.jsonl"))))
    }

    /// Adds a line. Not fsynced: it is for people who wonder, not for recovery.
    pub fn add(&self, handed: &Handed) -> io::Result<()> {
        let path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::fs::metadata(&*path).is_ok_and(|log| log.len() > LONG) {
            std::fs::rename(&*path, path.with_extension("jsonl.1"))?;
        }
        let mut line = serde_json::to_vec(handed)?;
        line.push(b'\n');
        File::options().create(true).append(true).mode(0o600).open(&*path)?.write_all(&line)
    }
}

/// What a process runs. It may be gone, or its number another's by now: good enough for a log.
pub fn program(pid: i32) -> Option<String> {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(exe.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_and_a_long_log_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let handed = Handed { at: 7, profile: "p\n".into(), pid: 1, program: Some("/bin/x".into()) };
        log.add(&handed).unwrap();
        log.add(&handed).unwrap();
        let path = dir.path().join("access.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let line = r#"{"at":7,"profile":"p\n","pid":1,"program":"/bin/x"}"#;
        assert_eq!(text, format!("{line}\n{line}\n"));
        File::options().write(true).open(&path).unwrap().set_len(LONG + 1).unwrap();
        log.add(&handed).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{line}\n"));
    }

    #[test]
    fn many_at_once_make_room_once() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::in_state(dir.path());
        let path = dir.path().join("access.jsonl");
        for _ in 0..20 {
            File::options().create(true).append(true).open(&path).unwrap().set_len(LONG + 1).unwrap();
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| {
                        log.add(&Handed { at: 7, profile: "p".into(), pid: 1, program: None }).unwrap();
                    });
                }
            });
            let older = std::fs::metadata(path.with_extension("jsonl.1")).unwrap().len();
            assert!(older > LONG, "the older log was replaced by a few lines");
        }
    }
}
