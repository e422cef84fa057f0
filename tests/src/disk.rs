//! A disk that can be full: a small file system of its own, where this machine lets us mount one.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small mounted file system; gone when dropped.
pub struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Mounts one on the folder; none if that is not allowed here.
    pub fn mount(at: &Path, owner: u32) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder to mount on");
        let options = format!("size=1m,mode=0700,uid={owner},gid={owner}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "everkey-test"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self { at: at.to_owned() })
    }

    /// Leaves room for nothing.
    pub fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("a file on the small disk");
        for size in [4096, 1] {
            let block = vec![0x55; size];
            loop {
                match file.write_all(&block) {
                    Ok(()) => {}
                    Err(e) if e.kind() == ErrorKind::StorageFull => break,
                    Err(e) => panic!("can't fill the small disk: {e}"),
                }
            }
        }
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("the ballast is there");
    }

    /// Lets nobody write any more.
    pub fn protect(&self) {
        let mounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.at).status();
        assert!(mounted.is_ok_and(|status| status.success()), "what was mounted can be remounted");
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).output();
    }
}
