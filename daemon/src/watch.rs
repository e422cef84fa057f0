//! Watches the folders of session files. The folder, not the file, which goes silent at its first atomic replace.

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc;

pub struct Watch {
    watcher: RecommendedWatcher,
    files: Arc<RwLock<BTreeSet<PathBuf>>>,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    /// Reports each of its files that may have changed; an empty path when events were lost.
    pub fn new(changed: mpsc::Sender<PathBuf>) -> notify::Result<Self> {
        let files = Arc::new(RwLock::new(BTreeSet::new()));
        let wanted = Arc::clone(&files);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // When the channel is full a look is on its way already.
            match event {
                Ok(event) if event.need_rescan() => drop(changed.try_send(PathBuf::new())),
                Ok(event) if says_more_than_reading(event.kind) => {
                    let wanted = wanted.read().unwrap_or_else(PoisonError::into_inner);
                    for path in event.paths.into_iter().filter(|path| wanted.contains(path)) {
                        drop(changed.try_send(path));
                    }
                }
                Ok(_) => {}
                Err(_) => drop(changed.try_send(PathBuf::new())),
            }
        })?;
        Ok(Self { watcher, files, folders: BTreeSet::new() })
    }

    /// One more file, where its folder is there already: nothing depends on whether changes are seen.
    pub fn add_if_there(&mut self, file: &Path) {
        if file.parent().is_some_and(Path::is_dir) {
            self.add(file);
        }
    }

    /// One more file. A folder that can't be watched is still looked at every 30 s.
    pub fn add(&mut self, file: &Path) {
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(file.to_owned());
        let Some(folder) = file.parent().filter(|folder| !self.folders.contains(*folder)) else { return };
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.folders.insert(folder.to_owned());
            }
            Err(e) => {
                tracing::warn!(folder = %folder.display(), error = %e, "can't watch; looking every 30 s instead");
            }
        }
    }
}

/// Reading raises events too; only these can mean another content.
fn says_more_than_reading(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Any | EventKind::Access(_) | EventKind::Modify(_) | EventKind::Other => false,
    }
}
