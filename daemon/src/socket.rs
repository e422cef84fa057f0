//! The agent's socket: where it is bound, whom it lets in, and how it is found again when it is gone.

use crate::store::make_dir;
use anyhow::{Context, Result, bail};
use everkey_config::paths::Places;
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions};
use interprocess::os::unix::local_socket::ListenerOptionsExt;
use interprocess::os::unix::uds_local_socket::tokio::Listener as UnixListener;
use rustix::fs::{FileType, Mode, OFlags, lstat};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The longest path that fits into a socket address everywhere, in bytes.
const ADDRESS_CAP: usize = 100;

pub struct Socket {
    pub listener: Listener,
    pub path: PathBuf,
    /// Device and inode of the name.
    identity: Option<(u64, u64)>,
    /// Whether it is ours to remove, not the service manager's.
    bound_here: bool,
}

/// What stands where a socket was bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Ours,
    Gone,
    /// Something else, which others have put there.
    Taken,
}

impl Socket {
    /// Binds at the places' path. Only the holder of the agent lock may call this: it removes a stale socket.
    pub fn bind(places: &Places) -> Result<Self> {
        let path = &places.socket;
        check_dir(&places.runtime, places.socket_named)?;
        remove_stale(path)?;
        let (address, _dir) = short_address(path)?;
        let name = address.as_os_str().to_fs_name::<GenericFilePath>()?;
        let listener = ListenerOptions::new()
            .name(name)
            .reclaim_name(false)
            .mode(0o600)
            .create_tokio()
            .with_context(|| format!("can't bind the socket {}", path.display()))?;
        Ok(Self { listener, identity: identity(path), path: path.clone(), bound_here: true })
    }

    /// Takes a listening socket that systemd has bound.
    pub fn inherited(fd: OwnedFd) -> Result<Self> {
        let address = rustix::net::getsockname(&fd).context("the passed descriptor is no socket")?;
        let address =
            rustix::net::SocketAddrUnix::try_from(address).context("the passed socket is no Unix socket")?;
        let path = address.path_bytes().context("the passed socket has no path")?;
        let path = PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path));
        let identity = identity(&path);
        Ok(Self { listener: UnixListener::try_from(fd)?.into(), path, identity, bound_here: false })
    }

    /// Whether clients can still find it by its path (D07).
    pub fn name(&self) -> Name {
        match identity(&self.path) {
            None => Name::Gone,
            there if there == self.identity => Name::Ours,
            Some(_) => Name::Taken,
        }
    }

    /// Removes the name, if it is still ours.
    pub fn remove(&self) {
        if self.bound_here && self.name() == Name::Ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The process at the other end, if it is this user's; anybody else is turned away (D13).
pub fn peer(stream: &Stream) -> Option<i32> {
    let creds = stream.peer_creds().ok()?;
    let same = creds.euid()? == rustix::process::geteuid().as_raw();
    same.then(|| creds.pid().unwrap_or(0))
}

/// The socket's folder must be a real folder of this user that nobody else can write to (D05).
fn check_dir(dir: &Path, named: bool) -> Result<()> {
    make_dir(dir).with_context(|| format!("can't make the folder {}", dir.display()))?;
    let stat = lstat(dir).with_context(|| format!("can't look at the folder {}", dir.display()))?;
    let uid = rustix::process::geteuid().as_raw();
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        bail!("{} is not a folder (a link is not accepted here)", dir.display());
    }
    if stat.st_uid != uid {
        bail!("the folder {} belongs to user {}, not to you ({uid})", dir.display(), stat.st_uid);
    }
    if stat.st_mode & 0o022 != 0 && named {
        bail!(
            "others can write to the folder {}; make it 0700 or name another with EVERKEY_SOCKET",
            dir.display()
        );
    }
    if stat.st_mode & 0o077 != 0 && !named {
        rustix::fs::chmod(dir, Mode::RWXU)
            .with_context(|| format!("can't make {} private", dir.display()))?;
    }
    Ok(())
}

fn remove_stale(path: &Path) -> Result<()> {
    match lstat(path) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Socket => std::fs::remove_file(path)
            .with_context(|| format!("can't remove the stale socket {}", path.display())),
        Ok(_) => bail!("{} is in the way: it is not a socket", path.display()),
        Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(e) => Err(e).with_context(|| format!("can't look at {}", path.display())),
    }
}

/// A path too long for a socket address is reached through its opened folder (D06).
fn short_address(path: &Path) -> Result<(PathBuf, Option<OwnedFd>)> {
    if path.as_os_str().len() <= ADDRESS_CAP {
        return Ok((path.to_owned(), None));
    }
    let (dir, name) = path.parent().zip(path.file_name()).context("the socket's path names no file")?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(dir, flags, Mode::empty())?;
    let address = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name);
    Ok((address, Some(dir)))
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let stat = lstat(path).ok()?;
    Some((stat.st_dev, stat.st_ino))
}
