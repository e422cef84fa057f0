//! Watches the folders of session files. The folder, not the file, which goes silent at its first atomic replace. For a
//! folder that is not there, the nearest one above it is watched until it comes.

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc;

pub struct Watch {
    watcher: RecommendedWatcher,
    /// What is reported: the files, and the folders that come or go.
    wanted: Arc<RwLock<BTreeMap<PathBuf, Wanted>>>,
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

/// Which events about a path are reported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    /// Of a folder that is watched: its watch ends with it.
    Removal,
}

impl Watch {
    /// Reports each of its files that may have changed; an empty path when events were lost.
    pub fn new(changed: mpsc::Sender<PathBuf>) -> notify::Result<Self> {
        let all = Arc::new(RwLock::new(BTreeMap::new()));
        let wanted = Arc::clone(&all);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // When the channel is full a look is on its way already.
            match event {
                Ok(event) if event.need_rescan() => drop(changed.try_send(PathBuf::new())),
                Ok(event) if says_more_than_reading(event.kind) => {
                    let wanted = wanted.read().unwrap_or_else(PoisonError::into_inner);
                    let removal = matches!(event.kind, EventKind::Remove(_));
                    let is_wanted = |path: &PathBuf| match wanted.get(path) {
                        Some(Wanted::Any) => true,
                        Some(Wanted::Removal) => removal,
                        None => false,
                    };
                    for path in event.paths.into_iter().filter(is_wanted) {
                        drop(changed.try_send(path));
                    }
                }
                Ok(_) => {}
                Err(_) => drop(changed.try_send(PathBuf::new())),
            }
        })?;
        Ok(Self { watcher, wanted: all, files: BTreeSet::new(), folders: BTreeSet::new() })
    }

    /// One more file, where its folder is there already: nothing depends on whether changes are seen.
    pub fn add_if_there(&mut self, file: &Path) {
        if file.parent().is_some_and(Path::is_dir) {
            self.add(file);
        }
    }

    /// One more file. A folder that can't be watched is still looked at every 30 s.
    pub fn add(&mut self, file: &Path) {
        self.files.insert(file.to_owned());
        self.want(file, Wanted::Any);
        let mut below = file;
        for folder in file.ancestors().skip(1) {
            if folder.is_dir() {
                self.want(below, Wanted::Any);
                self.want(folder, Wanted::Removal);
                return self.watch(folder);
            }
            below = folder;
        }
    }

    /// A folder came, went or was replaced: watches what is there now. The files that may have come with it.
    pub fn folder_changed(&mut self, path: &Path) -> Vec<PathBuf> {
        if self.folders.remove(path) {
            let _ = self.watcher.unwatch(path);
        }
        let below = |file: &&PathBuf| file.starts_with(path) && file.as_path() != path;
        let files: Vec<_> = self.files.iter().filter(below).cloned().collect();
        files.iter().for_each(|file| self.add(file));
        files
    }

    fn want(&self, path: &Path, events: Wanted) {
        self.wanted.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), events);
    }

    fn watch(&mut self, folder: &Path) {
        if self.folders.contains(folder) {
            return;
        }
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
