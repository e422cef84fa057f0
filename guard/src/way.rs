//! The way to a file or folder: every folder in which one of its names stands, and every link that it leads over. Whoever
//! may write to one of these could lead the way elsewhere.

use crate::folder::{self, missing};
use crate::rights::{Unfit, check_owner};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};

/// As many links lead from one to the next, as for the kernel.
const MOST_LINKS: usize = 40;

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
        folder::judge(&at, &found)?;
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

/// Puts a path in front of what is still ahead.
fn put(path: &Path, ahead: &mut Vec<OsString>) {
    let names = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    ahead.extend(names.rev().map(|part| part.as_os_str().to_owned()));
}
