//! Who was handed which profile's token and when: one JSON object a line, no secrets, two files of bounded size.

use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// When the log is this long, in bytes, it becomes the older of the two.
const LONG: u64 = 1024 * 1024;

/// The log file.
#[derive(Debug, Clone)]
pub struct AccessLog(PathBuf);

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
        Self(state.join("access.jsonl"))
    }

    /// Adds a line. Not fsynced: it is for people who wonder, not for recovery.
    pub fn add(&self, handed: &Handed) -> io::Result<()> {
        if std::fs::metadata(&self.0).is_ok_and(|log| log.len() > LONG) {
            std::fs::rename(&self.0, self.0.with_extension("jsonl.1"))?;
        }
        let mut line = serde_json::to_vec(handed)?;
        line.push(b'\n');
        File::options().create(true).append(true).mode(0o600).open(&self.0)?.write_all(&line)
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
        let text = std::fs::read_to_string(&log.0).unwrap();
        let line = r#"{"at":7,"profile":"p\n","pid":1,"program":"/bin/x"}"#;
        assert_eq!(text, format!("{line}\n{line}\n"));
        File::options().write(true).open(&log.0).unwrap().set_len(LONG + 1).unwrap();
        log.add(&handed).unwrap();
        assert_eq!(std::fs::read_to_string(&log.0).unwrap(), format!("{line}\n"));
    }
}
