//! The one call that the compiler can't check: closing a descriptor by its number.
#![allow(unsafe_code)]

use std::os::fd::RawFd;

/// Closes whatever was open at the start besides stdin, stdout and stderr.
pub fn close() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    // Read to the end first: the listing has a descriptor of its own, which is closed and no entry any more then.
    let listed: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    for path in listed.into_iter().filter(|path| path.symlink_metadata().is_ok()) {
        let number =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<RawFd>().ok());
        if let Some(fd) = number.filter(|fd| *fd > 2) {
            // SAFETY: called before this process has opened anything, so nobody here owns that number, and it is open.
            unsafe { rustix::io::close(fd) };
        }
    }
}
