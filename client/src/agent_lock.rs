//! The agent's lock as a client sees it: whether an agent runs, and where it says that it listens.

use everkey_config::paths::Places;
use rustix::fs::OFlags;
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest path that the system takes, in bytes.
const PATH_CAP: u64 = 4096;

/// Whether an agent runs. Asking takes a shared lock for a moment, which agents don't mind.
pub fn is_held(places: &Places) -> bool {
    open(places).is_some_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The path in the lock file, if it can be a socket's: anybody may have written there.
pub fn recorded(places: &Places) -> Option<PathBuf> {
    let mut path = Vec::new();
    open(places)?.take(PATH_CAP).read_to_end(&mut path).ok()?;
    let path = Path::new(OsStr::from_bytes(&path));
    (path.is_absolute() && !path.as_os_str().as_bytes().contains(&0)).then(|| path.to_owned())
}

/// The lock file, if it is a plain one of this user's.
fn open(places: &Places) -> Option<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(places.agent_lock()).ok()?;
    let found = file.metadata().ok()?;
    (found.is_file() && found.uid() == rustix::process::geteuid().as_raw()).then_some(file)
}
