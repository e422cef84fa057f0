//! The sockets that a service manager opened for this program: the one place that takes descriptors by their number.
#![allow(unsafe_code)]

use rustix::net::{AddressFamily, getsockname};
use std::io;
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

/// systemd's first.
const FIRST: i32 = 3;

/// More than any unit of ours names.
const MOST: i32 = 8;

/// What was passed.
#[derive(Debug, Default)]
pub struct PassedSockets {
    /// Where browsers come to on 127.0.0.1.
    pub four: Option<TcpListener>,
    /// The same port of ::1.
    pub six: Option<TcpListener>,
    /// Where this user's programs ask for a way in.
    pub way_in: Option<UnixListener>,
}

/// None where nothing was passed to this very process.
///
/// # Errors
/// Where a descriptor is no socket.
pub fn take() -> io::Result<Option<PassedSockets>> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<i32>().ok());
    if number("LISTEN_PID") != i32::try_from(std::process::id()).ok() {
        return Ok(None);
    }
    let count = number("LISTEN_FDS").unwrap_or(0).clamp(0, MOST);
    let mut passed = PassedSockets::default();
    for fd in FIRST..FIRST + count {
        // SAFETY: systemd hands the descriptors from 3 on to exactly this process, which calls this once, before
        // anything else could have opened or closed one.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        match getsockname(&socket)?.address_family() {
            AddressFamily::INET => passed.four = Some(socket.into()),
            AddressFamily::INET6 => passed.six = Some(socket.into()),
            AddressFamily::UNIX => passed.way_in = Some(socket.into()),
            _ => {}
        }
    }
    Ok((count > 0).then_some(passed))
}
