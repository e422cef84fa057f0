//! What an agent in a sandbox can't see for itself: which program a process runs, and whose a file is. A second process of
//! this program, outside of the sandbox, looks for it. It handles no secrets and has no network.

mod ask;
mod serve;

pub use ask::{begin, look_at, stay_awake};
pub use serve::serve;

use crate::caller_process::CallerProcess;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One line of JSON; the answer is one, too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// A process that was there so many milliseconds after boot.
    Process { pid: i32, since: u64 },
    /// A file or folder, and what it leads to if it is a link.
    File { path: PathBuf },
    /// The machine is not to sleep until this connection is closed. There is no answer.
    StayAwake,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Process(CallerProcess),
    File(Vec<Owned>),
    #[default]
    Nothing,
}

/// A file, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Owned {
    device: u64,
    inode: u64,
    owner: u32,
}

/// The longest line, in bytes.
const LINE_CAP: u64 = 64 * 1024;
