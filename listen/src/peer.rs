//! Whose program is at the other end of a connection on this machine.

use std::net::SocketAddr;

/// Who connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A program of the user that this process runs as.
    Own,
    /// A program of another user, or one that was gone before it could be looked up.
    Stranger,
    /// This system does not say.
    Unknown,
}

/// Who is at the other end of a connection from `theirs` to `ours`, by the kernel's table of sockets. Blocks.
pub(crate) fn of(ours: SocketAddr, theirs: SocketAddr) -> Peer {
    system::of(ours, theirs)
}

#[cfg(target_os = "linux")]
mod system {
    use super::Peer;
    use crate::sock_diag;
    use procfs::ProcResult;
    use procfs::net::{TcpNetEntry, tcp, tcp6};
    use std::net::{IpAddr, SocketAddr};

    /// The table is read in pieces, and a busy one can move a socket past the reader.
    const LOOKS: usize = 3;

    pub(super) fn of(ours: SocketAddr, theirs: SocketAddr) -> Peer {
        let found = match sock_diag::owner(theirs, ours) {
            Ok(found) => Ok(found),
            // Not every kernel answers, and not every service may ask.
            Err(_) => in_table(ours, theirs),
        };
        match found {
            Ok(Some(uid)) if uid == rustix::process::geteuid().as_raw() => Peer::Own,
            Ok(_) => Peer::Stranger,
            Err(_) => Peer::Unknown,
        }
    }

    fn in_table(ours: SocketAddr, theirs: SocketAddr) -> ProcResult<Option<u32>> {
        for _ in 0..LOOKS {
            if let Some(uid) = uid(ours, theirs)? {
                return Ok(Some(uid));
            }
        }
        Ok(None)
    }

    /// The owner of the other end, which is a socket of its own in the same table. A closed one has no inode, and is said to
    /// be root's.
    fn uid(ours: SocketAddr, theirs: SocketAddr) -> ProcResult<Option<u32>> {
        let find = |table: Vec<TcpNetEntry>| {
            let theirs = |entry: &TcpNetEntry| {
                plain(entry.local_address) == theirs && plain(entry.remote_address) == ours
            };
            table.into_iter().find(theirs).filter(|entry| entry.inode != 0).map(|entry| entry.uid)
        };
        if ours.is_ipv4()
            && let Some(uid) = find(tcp()?)
        {
            return Ok(Some(uid));
        }
        // A program may reach 127.0.0.1 from a socket of the other family, too.
        Ok(tcp6().ok().and_then(find))
    }

    fn plain(address: SocketAddr) -> SocketAddr {
        let ip = match address.ip() {
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4),
            IpAddr::V4(ip) => IpAddr::V4(ip),
        };
        SocketAddr::new(ip, address.port())
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

        #[test]
        fn a_connection_of_ones_own_is_found_whatever_its_family() {
            // A machine without IPv6 has connections of one family only.
            let (any, hosts) = match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
                Ok(_) => (IpAddr::from(Ipv6Addr::UNSPECIFIED), ["127.0.0.1", "::1"].as_slice()),
                Err(_) => (IpAddr::from(Ipv4Addr::UNSPECIFIED), ["127.0.0.1"].as_slice()),
            };
            let listener = TcpListener::bind((any, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            for &host in hosts {
                let client = TcpStream::connect((host, port)).unwrap();
                let (_server, theirs) = listener.accept().unwrap();
                let (ours, theirs) = (plain(client.peer_addr().unwrap()), plain(theirs));
                let me = rustix::process::geteuid().as_raw();
                assert_eq!(of(ours, theirs), Peer::Own, "{host}");
                assert_eq!(in_table(ours, theirs).unwrap(), Some(me), "{host}");
                assert_eq!(of(theirs, theirs), Peer::Stranger, "nobody is there");
                // What has said all and closed is nobody's, though the table calls it root's.
                drop(client);
                assert_eq!(of(ours, theirs), Peer::Stranger, "{host}");
                assert_eq!(in_table(ours, theirs).unwrap(), None, "{host}");
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Peer;
    use std::net::SocketAddr;

    pub(super) fn of(_ours: SocketAddr, _theirs: SocketAddr) -> Peer {
        Peer::Unknown
    }
}
