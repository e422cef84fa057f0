//! Watches the folders of session files. The folder, not the file, which goes silent at its first atomic replace.

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Reports each of `files` that may have changed; an empty path when events were lost. Lives as long as the watcher.
pub fn files(files: &[PathBuf], changed: mpsc::Sender<PathBuf>) -> notify::Result<RecommendedWatcher> {
    let wanted: BTreeSet<PathBuf> = files.iter().cloned().collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // When the channel is full a look is on its way already.
        match event {
            Ok(event) if event.need_rescan() => drop(changed.try_send(PathBuf::new())),
            Ok(event) if says_more_than_reading(event.kind) => {
                for path in event.paths.into_iter().filter(|path| wanted.contains(path)) {
                    drop(changed.try_send(path));
                }
            }
            Ok(_) => {}
            Err(_) => drop(changed.try_send(PathBuf::new())),
        }
    })?;
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders {
        // A folder that can't be watched is still looked at every 30 s.
        if let Err(e) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(folder = %folder.display(), error = %e, "can't watch; looking every 30 s instead");
        }
    }
    Ok(watcher)
}

/// Reading raises events too; only these can mean another content.
fn says_more_than_reading(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => true,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Any | EventKind::Access(_) | EventKind::Modify(_) | EventKind::Other => false,
    }
}
