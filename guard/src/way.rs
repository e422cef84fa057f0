//! The way to a file or folder: every folder in which one of its names stands, and every link that it leads over. Whoever
//! may write to one of these could lead the way elsewhere.

use crate::rights::{Unfit, check_mode, check_owner, check_owner_of_folder};
use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// As many links lead from one to the next, as for the kernel.
const MOST_LINKS: usize = 40;

/// In a folder with this bit names can be taken away by their owners alone.
const STICKY: u32 = 0o1000;

/// Goes the way as the kernel does, and judges it. The name without links at which it ends, and what stands there, which is
/// for the caller to judge; `absent` may make a folder that is not there.
pub(crate) fn walk(
    path: &Path,
    absent: impl Fn(&Path) -> Result<(), Unfit>,
) -> Result<(PathBuf, Metadata), Unfit> {
    let (mut at, mut ahead) = (PathBuf::from("/"), Vec::new());
    let mut found = at.symlink_metadata()?;
    let mut links = 0;
    put(&std::path::absolute(path)?, &mut ahead);
    while let Some(name) = ahead.pop() {
        judge(&at, &found)?;
        let next = match name.to_str() {
            Some("..") => at.parent().unwrap_or(&at).to_owned(),
            _ => at.join(&name),
        };
        found = match next.symlink_metadata() {
            Err(why) if missing(&why) => {
                absent(&next)?;
                next.symlink_metadata()?
            }
            looked => looked?,
        };
        if found.is_symlink() {
            check_owner(&next, &found)?;
            links += 1;
            if links > MOST_LINKS {
                return Err(Unfit::Os(Errno::LOOP.into()));
            }
            let target = std::fs::read_link(&next)?;
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            found = at.symlink_metadata()?;
            put(&target, &mut ahead);
        } else {
            at = next;
        }
    }
    Ok((at, found))
}

/// Nobody but this user and root can replace what is in the folder.
pub(crate) fn judge(folder: &Path, found: &Metadata) -> Result<(), Unfit> {
    if !found.is_dir() {
        return Err(Unfit::NotAFolder(folder.to_owned()));
    }
    check_owner_of_folder(folder, found)?;
    let closed = check_mode(folder, found);
    if found.mode() & STICKY != 0 || closed.is_err() && is_read_only(folder) { Ok(()) } else { closed }
}

/// As Kubernetes mounts what it configures, whatever the modes say.
fn is_read_only(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// What is not there is not made.
pub(crate) fn absent(_: &Path) -> Result<(), Unfit> {
    Err(Unfit::Os(io::ErrorKind::NotFound.into()))
}

/// Whether this says that there is no such file.
pub(crate) fn missing(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Puts a path in front of what is still ahead.
fn put(path: &Path, ahead: &mut Vec<OsString>) {
    let names = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    ahead.extend(names.rev().map(|part| part.as_os_str().to_owned()));
}
