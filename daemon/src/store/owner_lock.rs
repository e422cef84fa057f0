//! The owner lock beside a session file: whoever holds it is the only one to send or write (I5).

use super::durable::{error, is_named, make_dir, open_lock};
use everkey_guard::folder;
use everkey_session::{NotOwner, StoreError};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

pub struct OwnerLock {
    path: PathBuf,
    file: Option<File>,
}

impl OwnerLock {
    pub fn beside(session_file: &Path) -> Self {
        let name = session_file.file_name().unwrap_or_default().to_string_lossy();
        Self { path: session_file.with_file_name(format!(".{name}.everkey-lock")), file: None }
    }

    /// Takes the lock where the folder is there. Where it is not there is nothing to own yet, and no reason to make it.
    pub fn take(&mut self) -> Result<(), NotOwner> {
        match self.folder().try_exists() {
            Ok(false) => Ok(()),
            Ok(true) | Err(_) => self.take_in_folder(),
        }
    }

    /// The same where no lock was taken yet. One that somebody removes is not put back by a look: they may be removing the
    /// folder.
    pub fn take_first(&mut self) -> Result<(), NotOwner> {
        if self.file.is_some() { Ok(()) } else { self.take() }
    }

    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn take_in_folder(&mut self) -> Result<(), NotOwner> {
        let impossible = |e: &io::Error| NotOwner::Impossible(error(&self.path, e));
        let dir = self.folder();
        make_dir(dir).map_err(|e| impossible(&e))?;
        // Whoever may write there could take the lock and the session away, at any time.
        folder::check(dir).map_err(|e| impossible(&e.into()))?;
        // A lock counts while its file has its name: in a folder that was removed and made again, whoever comes next
        // makes another.
        if self.file.as_ref().is_some_and(|file| is_named(file, &self.path)) {
            return Ok(());
        }
        if folder::is_on_network(dir) {
            let why = io::Error::other("it is on a network file system, whose locks can't be relied on");
            return Err(impossible(&why));
        }
        let file = open_lock(&self.path).map_err(|e| impossible(&e))?;
        match file.try_lock() {
            Ok(()) => {
                self.file = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(NotOwner::Held),
            Err(TryLockError::Error(e)) => Err(impossible(&e)),
        }
    }

    /// Looks at the lock again before anything is sent or written; makes the folder if it is not there.
    pub fn check(&mut self) -> Result<(), StoreError> {
        self.take_in_folder().map_err(|why| match why {
            NotOwner::Held => {
                let why = "another agent has taken over the folder since it was made";
                error(&self.path, &io::Error::other(why))
            }
            NotOwner::Impossible(why) => why,
        })
    }
}
