//! Folders: what is kept in one that others may write to could be removed or replaced by them.

use crate::rights::Unfit;
use crate::way;
use rustix::fs::{CWD, Mode, OFlags};
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Nobody but this user and root can replace what is in the folder, nor the folder. Links to it are followed.
///
/// # Errors
/// [`Unfit`] where others can, and where it is no folder or none is there.
pub fn check(folder: &Path) -> Result<(), Unfit> {
    let (folder, found) = way::walk(folder, way::absent)?;
    way::judge(&folder, &found)
}

/// Whether a folder is on a file system whose locks depend on another machine.
#[cfg(target_os = "linux")]
pub fn is_on_network(folder: &Path) -> bool {
    rustix::fs::statfs(folder).is_ok_and(|system| is_network(system.f_type))
}

/// Whether a folder is on a file system whose locks depend on another machine.
#[cfg(not(target_os = "linux"))]
pub fn is_on_network(_: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn is_network(kind: i64) -> bool {
    const NFS: i64 = 0x6969;
    const SMB: i64 = 0x517b;
    const CIFS: i64 = 0xff53_4d42;
    const SMB2: i64 = 0xfe53_4d42;
    [NFS, SMB, CIFS, SMB2].contains(&kind)
}

/// Makes a folder of one's own with those above it, mode 0700. One that is there is given that mode, if it is this user's;
/// whether others could write to it until now.
///
/// # Errors
/// [`Unfit`] where it is another user's or could be replaced by one, or can't be made or given that mode.
pub fn make_private(folder: &Path) -> Result<bool, Unfit> {
    let (folder, _) = way::walk(folder, |absent| match rustix::fs::mkdir(absent, Mode::RWXU) {
        // What somebody else has made meanwhile is judged like all that was there.
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(why) => Err(io::Error::from(why).into()),
    })?;
    // The very folder that is judged is the one that is closed.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = File::from(rustix::fs::openat(CWD, &folder, flags, Mode::empty()).map_err(io::Error::from)?);
    let found = opened.metadata()?;
    let judged = way::judge(&folder, &found);
    if found.uid() != rustix::process::geteuid().as_raw() {
        return judged.map(|()| false);
    }
    if found.mode() & 0o077 != 0 {
        opened.set_permissions(Permissions::from_mode(0o700))?;
    }
    Ok(judged.is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_network_is_told_from_a_disk() {
        const TMPFS: i64 = 0x0102_1994;
        assert!(is_network(0x6969) && !is_network(TMPFS) && !is_on_network(Path::new("/")));
    }

    #[test]
    fn a_folder_of_ones_own_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        assert!(!make_private(&folder).unwrap());
        for (mode, was_open) in [(0o755, false), (0o777, true), (0o700, false)] {
            fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            assert_eq!(check(&folder).is_err(), was_open);
            assert_eq!(make_private(&folder).unwrap(), was_open);
            assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
        }
        assert!(matches!(check(&dir.path().join("gone")), Err(Unfit::Os(_))));
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(matches!(check(&dir.path().join("file")), Err(Unfit::NotAFolder(_))));
        assert!(make_private(&dir.path().join("file")).is_err());
    }
}
