//! Files that are complete or absent whatever happens: written beside, fsynced, then renamed or exchanged.

use everkey_session::{FileKind, StoreError, StoreErrorKind};
use rustix::fs::{CWD, FileType, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};
use zeroize::Zeroizing;

/// No file that is read here is longer, in bytes.
const READ_CAP: u64 = 8 * 1024 * 1024;

/// What the name of every temporary file ends with, so that a start can clear them away.
pub const TEMP_SUFFIX: &str = ".everkey-tmp";

/// Makes a folder and its parents, mode 0700; one that is there is left as it is.
pub fn make_dir(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// A new 0600 file beside `path` with the content on disk already.
pub fn write_beside(path: &Path, content: &[u8]) -> io::Result<TempPath> {
    let (dir, name) = split(path)?;
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
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    open_plain(path, &mut options, OFlags::NOFOLLOW)
}

/// Opens a file to write at its end, making it if needed.
pub fn open_log(path: &Path) -> io::Result<File> {
    open_plain(path, File::options().create(true).append(true).mode(0o600), OFlags::empty())
}

/// The content of a file of everkey's own or of the person's; none if there is none.
pub fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match open_plain(path, File::options().read(true), OFlags::empty()) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(READ_CAP).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Opens nothing but a file: a FIFO would keep whoever opens it waiting.
fn open_plain(path: &Path, options: &mut OpenOptions, flags: OFlags) -> io::Result<File> {
    let strange =
        |mode| file_kind(mode).map_or(Ok(()), |kind| Err(io::Error::other(format!("it is {kind}"))));
    std::fs::metadata(path).map_or(Ok(()), |found| strange(found.mode()))?;
    let file = options.custom_flags((flags | OFlags::NONBLOCK).bits().cast_signed()).open(path)?;
    strange(file.metadata()?.mode())?;
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
    StoreError { path: path.display().to_string(), kind: StoreErrorKind::Os(e.to_string()) }
}

fn split(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    path.parent().zip(name).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file's path"))
}
