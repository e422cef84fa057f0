//! The keys at hand, and how a running server comes by those that another process has put into the file.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::keys::history::KeyHistory;
use crate::keys::{ServerKey, file};

/// The keys of a running server. Clones share what they hold, so that new keys reach all of them.
#[derive(Clone)]
pub struct KeyRing(Arc<Shared>);

struct Shared {
    file: Option<PathBuf>,
    held: RwLock<Held>,
}

struct Held {
    keys: KeyHistory,
    read: Option<Version>,
}

/// Which content of the file was read last: it is only ever replaced whole.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl KeyRing {
    /// A ring that makes new things with `current` and still knows `older`.
    pub fn new(current: ServerKey, older: Vec<ServerKey>) -> Self {
        Self::hold(None, KeyHistory::new(current, older))
    }

    /// These keys, which from now on follow the file at `path`.
    pub fn following(path: &Path, keys: KeyHistory) -> Self {
        Self::hold(Some(path.to_owned()), keys)
    }

    /// The set that new tokens and codes are made with.
    pub fn current(&self) -> Arc<ServerKey> {
        Arc::clone(self.keys().current())
    }

    /// Every set, the current one first.
    pub fn all(&self) -> impl Iterator<Item = Arc<ServerKey>> {
        self.keys().all().cloned().collect::<Vec<_>>().into_iter()
    }

    /// The set with this id, if it is still kept. One that is not known may be newer than what was read of the file,
    /// which is then looked at once more.
    pub fn find(&self, id: &str) -> Option<Arc<ServerKey>> {
        let known = || self.keys().find(id).cloned();
        known().or_else(|| if self.reload() { known() } else { None })
    }

    /// Reads the file again if it is another one than last time. `true` if the keys are new. A file that can't be
    /// read changes nothing.
    pub fn reload(&self) -> bool {
        let Some(path) = &self.0.file else { return false };
        let version = match Version::of(path) {
            Ok(version) if self.read() == Some(version) => return false,
            Ok(version) => version,
            Err(error) => {
                tracing::warn!(%error, "the keys file can't be looked at; the keys read before stay in use");
                return false;
            }
        };
        let read = file::load(path);
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        held.read = Some(version);
        match read {
            Ok(Some(keys)) => {
                let (key, new) = (&keys.current().id, keys.current().id != held.keys.current().id);
                if new {
                    tracing::info!(key, "new keys are in use");
                }
                held.keys = keys;
                new
            }
            Ok(None) => false,
            Err(error) => {
                tracing::error!(%error, "the keys read before stay in use");
                false
            }
        }
    }

    fn hold(file: Option<PathBuf>, keys: KeyHistory) -> Self {
        Self(Arc::new(Shared { file, held: RwLock::new(Held { keys, read: None }) }))
    }

    fn keys(&self) -> KeyHistory {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).keys.clone()
    }

    fn read(&self) -> Option<Version> {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).read
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(|key| key.id.clone())).finish()
    }
}

impl Version {
    fn of(path: &Path) -> io::Result<Self> {
        let meta = path.metadata()?;
        Ok(Self { device: meta.dev(), inode: meta.ino(), changed: (meta.ctime(), meta.ctime_nsec()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_set_that_another_process_made_is_found_and_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let ring = KeyRing::following(&path, file::create(&path, Timestamp::from_secs(1)).unwrap());
        let (first, clone) = (ring.current(), ring.clone());
        let new = ServerKey::random(Timestamp::from_secs(2)).unwrap();
        file::change(&path, |old| Ok(Some(old.with_current(new.clone())))).unwrap();
        assert_eq!(ring.current().id, first.id);
        assert_eq!(ring.find(&new.id).unwrap().id, new.id);
        assert_eq!((clone.current().id.as_str(), clone.all().count()), (new.id.as_str(), 2));
        assert!(clone.find(&first.id).is_some());
    }

    #[test]
    fn a_file_that_went_bad_or_away_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let ring = KeyRing::following(&path, file::create(&path, Timestamp::from_secs(1)).unwrap());
        let id = ring.current().id.clone();
        std::fs::write(&path, "{}").unwrap();
        assert!(!ring.reload() && ring.find("nobody").is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(!ring.reload() && ring.find("nobody").is_none());
        assert_eq!(ring.current().id, id);
    }
}
