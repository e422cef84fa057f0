//! Reads the session file as another program may have left it: anything but a plain file of ours is refused.

use super::durable::{file_kind, unusable};
use crate::provider::{ParsedFile, SessionFormat};
use everkey_session::{FileContent, StoreErrorKind};
use rustix::fs::{Mode, OFlags, fchmod, fstat, lstat, open};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// No session file is larger than this, in bytes.
const CAP: u64 = 256 * 1024;

/// The content of a session file, if there is one that may be used.
pub enum Content {
    Missing,
    /// Its bytes, and whether its mode was too open until now.
    Bytes(Zeroizing<Vec<u8>>, bool),
}

/// Reads the file and takes it for what its format says.
pub fn find(path: &Path, format: &SessionFormat) -> FileContent {
    match read(path) {
        Ok(Content::Missing) => FileContent::Missing,
        Ok(Content::Bytes(bytes, tightened)) => match (format.parse)(&bytes) {
            ParsedFile::Session(session) => FileContent::Session { session, tightened },
            ParsedFile::Nobody => FileContent::Missing,
            ParsedFile::Strange => FileContent::Unusable(unusable(path, StoreErrorKind::Strange)),
            ParsedFile::Damaged => FileContent::Damaged(digest(&bytes)),
        },
        Err(kind) => FileContent::Unusable(unusable(path, kind)),
    }
}

/// Reads the file without following links or waiting on FIFOs; tightens a mode that lets others read.
pub fn read(path: &Path) -> Result<Content, StoreErrorKind> {
    read_up_to(path, CAP)
}

/// The same for a file of everkey's own that may be longer.
pub fn read_up_to(path: &Path, cap: u64) -> Result<Content, StoreErrorKind> {
    // Not even opened: that alone does something to a device, and fails for a socket without saying why.
    if let Some(kind) = lstat(path).ok().and_then(|stat| file_kind(stat.st_mode)) {
        return Err(StoreErrorKind::NotAFile(kind));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(Content::Missing),
        Err(Errno::LOOP) => return Err(StoreErrorKind::Symlink),
        // A file of ours that not even we may read: foreign ones are told apart by their owner.
        Err(e) => return Err(foreign(path).unwrap_or_else(|| os(e))),
    };
    let stat = fstat(&file).map_err(os)?;
    let uid = rustix::process::geteuid().as_raw();
    if let Some(kind) = file_kind(stat.st_mode) {
        return Err(StoreErrorKind::NotAFile(kind));
    }
    if stat.st_uid != uid {
        return Err(StoreErrorKind::Foreign(stat.st_uid));
    }
    if stat.st_nlink > 1 {
        return Err(StoreErrorKind::HardLink);
    }
    let open_to_others = stat.st_mode & 0o077 != 0;
    if open_to_others {
        fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(os)?;
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(cap + 1).read_to_end(&mut bytes).map_err(|e| StoreErrorKind::Os(e.to_string()))?;
    if bytes.len() as u64 > cap {
        return Err(StoreErrorKind::TooLarge);
    }
    Ok(Content::Bytes(bytes, open_to_others))
}

/// Tells two contents apart.
pub fn digest(bytes: &[u8]) -> u64 {
    let hash = Sha256::digest(bytes);
    hash.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}

fn foreign(path: &Path) -> Option<StoreErrorKind> {
    let owner = lstat(path).ok()?.st_uid;
    (owner != rustix::process::geteuid().as_raw()).then_some(StoreErrorKind::Foreign(owner))
}

fn os(e: Errno) -> StoreErrorKind {
    StoreErrorKind::Os(std::io::Error::from(e).to_string())
}
