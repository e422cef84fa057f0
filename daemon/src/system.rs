//! The two calls that the compiler can't check: taking a descriptor by its number, and registering one for events.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use tokio::io::unix::AsyncFd;

/// The first listening socket that systemd passed to this very process (`LISTEN_PID`, `LISTEN_FDS`), if any.
pub fn passed_listener() -> Option<OwnedFd> {
    let fd = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: systemd hands the descriptors from 3 on to exactly this process, which calls this once, before
    // anything else could have opened or closed one.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Registers a descriptor with the runtime.
pub fn events_of(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is the same open descriptor for as long as it lives, and `AsyncFd` owns it from here on.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
