//! The calls that the compiler can't check: taking and closing descriptors by number, asking a socket for its peer, and
//! registering a descriptor for events.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use tokio::io::unix::AsyncFd;

/// The first listening socket that systemd passed to this very process (`LISTEN_PID`, `LISTEN_FDS`), if any.
pub fn passed_listener() -> Option<OwnedFd> {
    let fd = sd_notify::listen_fds().ok()?.next()?;
    // SAFETY: systemd hands the descriptors from 3 on to exactly this process, which calls this once, before
    // anything else could have opened or closed one.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Closes what the starter of a detached agent left open, but for `keep`: a lock or a pipe of some script would stay
/// taken for as long as the agent lives.
pub fn close_inherited(keep: Option<&OwnedFd>) {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    // Read to the end first: the listing has a descriptor of its own, which is closed and no entry any more then.
    let listed: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    for path in listed.into_iter().filter(|path| path.symlink_metadata().is_ok()) {
        let number =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<RawFd>().ok());
        let strange = |fd: &RawFd| *fd > 2 && keep.is_none_or(|keep| keep.as_raw_fd() != *fd);
        if let Some(fd) = number.filter(strange) {
            // SAFETY: called before this process has opened anything that it keeps, so nobody here owns that number,
            // and it is open.
            unsafe { rustix::io::close(fd) };
        }
    }
}

/// The process at the other end of a Unix socket, by a reference that no later process can take over; none where the
/// system has no such (Linux before 6.5), or that process is gone.
#[cfg(target_os = "linux")]
pub fn peer_process(socket: BorrowedFd<'_>) -> Option<OwnedFd> {
    use std::ffi::{c_int, c_void};
    // As on every architecture but a few that nobody runs this on, where another process is never got by mistake: the
    // call fails, or what it gives is no descriptor.
    const SOL_SOCKET: c_int = 1;
    const SO_PEERPIDFD: c_int = 77;
    unsafe extern "C" {
        fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, len: *mut u32) -> c_int;
    }
    let (mut fd, mut len): (c_int, u32) = (-1, 4);
    let value = std::ptr::from_mut(&mut fd).cast();
    // SAFETY: `value` and `len` are valid for writes, and `len` is the size of what `value` points at.
    let done = unsafe { getsockopt(socket.as_raw_fd(), SOL_SOCKET, SO_PEERPIDFD, value, &raw mut len) };
    // SAFETY: the system has just made this descriptor for this process, so nobody else owns it.
    (done == 0 && len == 4 && fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(not(target_os = "linux"))]
pub fn peer_process(_: BorrowedFd<'_>) -> Option<OwnedFd> {
    None
}

pub fn events_of(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is the same open descriptor for as long as it lives, and `AsyncFd` owns it from here on.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
