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
    use procfs::ProcResult;
    use procfs::net::{TcpNetEntry, tcp, tcp6};
    use std::net::{IpAddr, SocketAddr};

    /// The table is read in pieces, and a busy one can move a socket past the reader.
    const LOOKS: usize = 3;

    pub(super) fn of(ours: SocketAddr, theirs: SocketAddr) -> Peer {
        for _ in 0..LOOKS {
            match uid(ours, theirs) {
                Ok(Some(uid)) if uid == rustix::process::geteuid().as_raw() => return Peer::Own,
                Ok(Some(_)) => return Peer::Stranger,
                Ok(None) => {}
                Err(_) => return Peer::Unknown,
            }
        }
        Peer::Stranger
    }

    /// The owner of the other end, which is a socket of its own in the same table.
    fn uid(ours: SocketAddr, theirs: SocketAddr) -> ProcResult<Option<u32>> {
        let find = |table: Vec<TcpNetEntry>| {
            let theirs = |entry: &TcpNetEntry| {
                plain(entry.local_address) == theirs && plain(entry.remote_address) == ours
            };
            table.into_iter().find(theirs).map(|entry| entry.uid)
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
                let ours = plain(client.peer_addr().unwrap());
                assert_eq!(of(ours, plain(theirs)), Peer::Own, "{host}");
                assert_eq!(of(plain(theirs), plain(theirs)), Peer::Stranger, "nobody is there");
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
