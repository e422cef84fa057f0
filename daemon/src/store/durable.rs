//! Files that are complete or absent whatever happens: written beside, fsynced, then renamed or exchanged.

use everkey_guard::folder;
use everkey_session::{FileKind, StoreError, StoreErrorKind};
use rustix::fs::{CWD, FileType, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// What the name of every temporary file ends with, so that a start can clear them away.
pub const TEMP_SUFFIX: &str = ".everkey-tmp";

/// Makes a folder and its parents, mode 0700; one that is there is left as it is.
pub fn make_dir(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// The same for a folder of everkey's own; one of ours that is open to others is closed to them.
pub fn make_private_dir(dir: &Path) -> io::Result<()> {
    if folder::make_private(dir)? {
        tracing::warn!(folder = %dir.display(), "others could write to it; its mode is 0700 now");
    }
    Ok(())
}

/// A new 0600 file beside `path` with the content on disk already; in no folder where others could replace it.
pub fn write_beside(path: &Path, content: &[u8]) -> io::Result<TempPath> {
    let (dir, name) = split(path)?;
    folder::check(dir)?;
    let mut temp: NamedTempFile = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(TEMP_SUFFIX)
        .rand_bytes(8)
        .tempfile_in(dir)?;
    temp.write_all(content)?;
    temp.as_file().sync_all()?;
    Ok(temp.into_temp_path())
}

/// Replaces whatever is at `path`; durable when it returns.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    write_beside(path, content)?.persist(path).map_err(|e| e.error)?;
    sync_dir_of(path)
}

/// Removes a file if it is there; durable when it returns.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_dir_of(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Makes the names in a file's folder durable.
pub fn sync_dir_of(path: &Path) -> io::Result<()> {
    let (dir, _) = split(path)?;
    File::open(dir)?.sync_all()
}

pub enum NameExchange {
    /// The names were exchanged: the old content is at the other name now.
    Exchanged,
    Missing,
    /// This file system can't.
    Unsupported,
}

/// Exchanges the names of two files atomically.
pub fn exchange(a: &Path, b: &Path) -> io::Result<NameExchange> {
    match renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(NameExchange::Exchanged),
        Err(Errno::NOENT) => Ok(NameExchange::Missing),
        Err(Errno::INVAL | Errno::NOSYS) => Ok(NameExchange::Unsupported),
        Err(e) => Err(e.into()),
    }
}

/// Renames without replacing anything.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if !to.exists() => std::fs::rename(from, to),
        other => other.map_err(io::Error::from),
    }
}

/// Opens a lock file, making it if needed; never through a link.
pub fn open_lock(path: &Path) -> io::Result<File> {
    open_own(path, File::options().read(true).write(true).create(true).truncate(false))
}

/// Opens a file to write at its end, making it if needed. What is no file of ours alone is moved away: no log is a reason
/// to serve nobody.
pub fn open_log(path: &Path) -> io::Result<File> {
    let open = || {
        let log = open_own(path, File::options().create(true).append(true))?;
        match log.metadata()?.nlink() {
            0 | 1 => Ok(log),
            _ => Err(io::Error::other("it has a second name (a hard link)")),
        }
    };
    match open() {
        // Not for what the system says, as that too many files are open: an older log would be lost each time.
        Err(why) if why.kind() == io::ErrorKind::Other => {
            std::fs::rename(path, older(path)).map_err(|_| why)?;
            open()
        }
        opened => opened,
    }
}

/// Where an older log is kept.
pub fn older(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Opens nothing but a file of ours: through a link another file would be written to, and a FIFO would keep whoever opens
/// it waiting.
fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let wrong = |why: String| Err(io::Error::other(why));
    let strange = |found: &Metadata| match file_kind(found.mode()) {
        Some(kind) => wrong(format!("it is {kind}")),
        None if found.is_symlink() => wrong("it is a symbolic link".to_owned()),
        None if found.uid() != rustix::process::geteuid().as_raw() => {
            wrong(format!("it belongs to another user (uid {})", found.uid()))
        }
        None => Ok(()),
    };
    std::fs::symlink_metadata(path).map_or(Ok(()), |found| strange(&found))?;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = options.mode(0o600).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    strange(&found)?;
    if found.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// What stands there by its mode; none if it is a file, or a link.
pub fn file_kind(mode: u32) -> Option<FileKind> {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile | FileType::Symlink => None,
        FileType::Directory => Some(FileKind::Folder),
        FileType::Fifo => Some(FileKind::Fifo),
        FileType::Socket => Some(FileKind::Socket),
        FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => Some(FileKind::Device),
    }
}

/// Whether an open file is still what stands at `path`.
pub fn is_named(file: &File, path: &Path) -> bool {
    let there = std::fs::symlink_metadata(path).map(|there| (there.dev(), there.ino()));
    let ours = file.metadata().map(|ours| (ours.dev(), ours.ino()));
    there.is_ok_and(|there| ours.is_ok_and(|ours| there == ours))
}

/// Removes what a crash left half-written beside `path`. Only the lock holder may.
pub fn clear_temps(path: &Path) {
    let Ok((dir, name)) = split(path) else { return };
    clear(dir, &format!(".{name}."));
}

/// The same for every file of a folder of ours.
pub fn clear_all_temps(dir: &Path) {
    clear(dir, ".");
}

fn clear(dir: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let ours =
            entry.file_name().to_str().is_some_and(|n| n.starts_with(prefix) && n.ends_with(TEMP_SUFFIX));
        if ours {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// What the system says is wrong with a file.
pub fn error(path: &Path, e: &io::Error) -> StoreError {
    unusable(path, StoreErrorKind::Os(e.to_string()))
}

/// What is wrong with a file.
pub fn unusable(path: &Path, kind: StoreErrorKind) -> StoreError {
    StoreError { path: path.display().to_string(), kind }
}

fn split(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    path.parent().zip(name).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file's path"))
}
