//! One agent per user: a lock in the state folder, which also records where the agent's socket is.

use crate::store::{is_named, make_dir, open_lock};
use everkey_config::paths::Places;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

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
        make_dir(&places.state)?;
        let path = places.agent_lock();
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Taken::Ours(Self { file, path })),
            Err(TryLockError::WouldBlock) => {
                let socket = OsString::from_vec(std::fs::read(&path)?);
                Ok(Taken::Theirs(Some(socket).filter(|s| !s.is_empty()).map(PathBuf::from)))
            }
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    /// Lets clients with another environment find the socket (D02).
    pub fn record(&mut self, socket: &std::path::Path) -> io::Result<()> {
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)?;
        self.file.write_all(socket.as_os_str().as_bytes())
    }

    /// Whether it still keeps other agents away: its file has its name.
    pub fn is_valid(&self) -> bool {
        is_named(&self.file, &self.path)
    }

    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}
