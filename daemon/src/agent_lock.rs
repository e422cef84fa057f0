//! One agent per user: a lock in the state folder, which also records where the agent's socket is.

use crate::store::{is_named, make_private_dir, open_lock};
use everkey_config::paths::Places;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// How much of the record is read, in bytes: one more than the longest path that the system takes.
const PATH_CAP: u64 = 4097;

/// Held for as long as the agent lives.
pub struct AgentLock {
    file: File,
    path: PathBuf,
}

/// Who has the lock.
pub enum Taken {
    Ours(AgentLock),
    /// Another agent does; its socket, if it has said so yet.
    Theirs(Option<PathBuf>),
}

impl AgentLock {
    pub fn take(places: &Places) -> io::Result<Taken> {
        make_private_dir(&places.state)?;
        let path = places.agent_lock();
        let file = open_lock(&path)?;
        loop {
            match file.try_lock() {
                // What is recorded would be written into another file, which has this name, too.
                Ok(()) if file.metadata()?.nlink() > 1 => {
                    std::fs::remove_file(&path)?;
                    return Self::take(places);
                }
                Ok(()) => return Ok(Taken::Ours(Self { file, path })),
                Err(TryLockError::Error(e)) => return Err(e),
                Err(TryLockError::WouldBlock) => {}
            }
            // Clients that look whether somebody has it share it for a moment.
            match file.try_lock_shared() {
                Ok(()) => file.unlock()?,
                Err(TryLockError::Error(e)) => return Err(e),
                Err(TryLockError::WouldBlock) => return Ok(Taken::Theirs(recorded(&file)?)),
            }
        }
    }

    /// Lets clients with another environment find the socket (D02). What others have written there is replaced.
    pub fn record(&self, socket: &Path) -> io::Result<()> {
        if recorded(&self.file)?.is_some_and(|recorded| recorded == socket) {
            return Ok(());
        }
        self.file.set_len(0)?;
        self.file.write_all_at(socket.as_os_str().as_bytes(), 0)
    }

    /// Whether it still keeps other agents away: its file has its name.
    pub fn is_valid(&self) -> bool {
        is_named(&self.file, &self.path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The socket's path in the lock file, if there is one.
fn recorded(mut file: &File) -> io::Result<Option<PathBuf>> {
    let mut socket = Vec::new();
    file.rewind()?;
    file.take(PATH_CAP).read_to_end(&mut socket)?;
    Ok((!socket.is_empty()).then(|| PathBuf::from(OsString::from_vec(socket))))
}
