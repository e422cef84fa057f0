//! The file systems that sessions and everkey's own files are on: room, read only, another machine's.

use super::finding::{Finding, FindingKind};
use everkey_guard::folder::is_on_network;
use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};
use std::path::Path;

/// The least room that a refresh needs, in bytes: for its journal, the session and what is noted about it.
const LEAST_ROOM: u64 = 256 * 1024;

/// What is wrong with the disk of a folder, or of the nearest one above that is there.
pub fn check(folder: &Path) -> Option<Finding> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    let disk = statvfs(there).ok()?;
    wrong(folder, &disk, is_on_network(there))
}

fn wrong(folder: &Path, disk: &StatVfs, on_network: bool) -> Option<Finding> {
    let shown = folder.display().to_string();
    let finding = |kind: FindingKind, what: String, to_do: &str| Some(kind.of(&shown, what, to_do));
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        let what = format!("The disk of {shown} is read only, so no refreshed session can be kept there.");
        return finding(FindingKind::DiskReadOnly, what, "Mount it writable; `dmesg` says why it is not.");
    }
    if on_network {
        let what =
            format!("{shown} is on a network file system, whose locks can't be relied on; it is only read.");
        return finding(FindingKind::NetworkFileSystem, what, "Move the folder to a local disk.");
    }
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    if room < LEAST_ROOM {
        let what = format!("The disk of {shown} is full: {} KiB are left.", room / 1024);
        return finding(
            FindingKind::DiskFull,
            what,
            "Make room; nothing is refreshed until then, and no session is lost.",
        );
    }
    // Some file systems count no files.
    if disk.f_files > 0 && disk.f_favail == 0 {
        let what = format!("The disk of {shown} has no room for another file (its inodes are used up).");
        return finding(
            FindingKind::DiskFull,
            what,
            "Remove files; nothing is refreshed until then, and no session is lost.",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_unfit_disk_is_told() {
        let folder = Path::new("/h");
        let disk = || statvfs("/proc").unwrap();
        let kind = |disk: StatVfs, on_network| wrong(folder, &disk, on_network).map(|found| found.kind);
        let roomy = || StatVfs {
            f_bavail: 1 << 20,
            f_frsize: 4096,
            f_files: 9,
            f_favail: 1,
            f_flag: StatVfsMountFlags::empty(),
            ..disk()
        };
        assert_eq!(kind(roomy(), false), None);
        assert_eq!(kind(roomy(), true), Some(FindingKind::NetworkFileSystem));
        assert_eq!(kind(StatVfs { f_bavail: 63, ..roomy() }, false), Some(FindingKind::DiskFull));
        assert_eq!(kind(StatVfs { f_favail: 0, ..roomy() }, false), Some(FindingKind::DiskFull));
        assert_eq!(kind(StatVfs { f_files: 0, f_favail: 0, ..roomy() }, false), None);
        let read_only = StatVfs { f_flag: StatVfsMountFlags::RDONLY, ..roomy() };
        assert_eq!(kind(read_only, true), Some(FindingKind::DiskReadOnly));
    }
}
