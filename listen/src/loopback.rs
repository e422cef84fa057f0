//! A port of this machine's own, on 127.0.0.1 and, where it has to be, on ::1.

use crate::peer::{self, Peer};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How many ports are tried until one is free for both families.
const PORTS: usize = 16;

/// Connections at a time whose other end is being looked up; more wait in the kernel's queue.
const LOOKED_UP: usize = 8;

/// The pause after a connection that could not be accepted: out of descriptors, most likely, so trying at once would only spin.
const PAUSE: Duration = Duration::from_millis(100);

/// A port that is listened on.
#[derive(Debug)]
pub struct Loopback {
    four: TcpListener,
    /// Browsers try `::1` first for a name that ends in `localhost`, so nobody else may have that.
    six: Option<TcpListener>,
    arrived: JoinSet<io::Result<(TcpStream, Peer)>>,
}

impl Loopback {
    /// Takes this port, on both families where `localhost` is said: of ::1 only if this machine has it.
    ///
    /// # Errors
    /// Where somebody else has it.
    pub async fn bind(port: u16, localhost: bool) -> io::Result<Self> {
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let six = match localhost {
            true => match TcpListener::bind((Ipv6Addr::LOCALHOST, four.local_addr()?.port())).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                bound => bound.ok(),
            },
            false => None,
        };
        Ok(Self { four, six, arrived: JoinSet::new() })
    }

    /// Takes a port that a service manager listens on.
    ///
    /// # Errors
    /// Where these are no listeners, or there is no runtime.
    pub fn passed(four: std::net::TcpListener, six: Option<std::net::TcpListener>) -> io::Result<Self> {
        let taken = |listener: std::net::TcpListener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        };
        Ok(Self { four: taken(four)?, six: six.map(taken).transpose()?, arrived: JoinSet::new() })
    }

    /// Takes a port that is free.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn bind_free(localhost: bool) -> io::Result<Self> {
        for _ in 0..PORTS {
            match Self::bind(0, localhost).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                bound => return bound,
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Which port it is.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.four.local_addr()?.port())
    }

    /// The next connection, and whose it is. May be dropped before it is done; nothing is lost then.
    ///
    /// # Errors
    /// Where one could not be accepted, after a pause.
    pub async fn next(&mut self) -> io::Result<(TcpStream, Peer)> {
        loop {
            tokio::select! {
                Some(arrived) = self.arrived.join_next() => if let Ok(arrived) = arrived {
                    return arrived;
                },
                accepted = accept(&self.four, self.six.as_ref()), if self.arrived.len() < LOOKED_UP => {
                    match accepted {
                        Ok((stream, theirs)) => drop(self.arrived.spawn_blocking(move || {
                            let ours = stream.local_addr()?;
                            Ok((stream, peer::of(ours, theirs)))
                        })),
                        Err(error) => drop(self.arrived.spawn(async {
                            sleep(PAUSE).await;
                            Err(error)
                        })),
                    }
                }
            }
        }
    }
}

async fn accept(four: &TcpListener, six: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    let six = async {
        match six {
            Some(six) => six.accept().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        accepted = four.accept() => accepted,
        accepted = six => accepted,
    }
}
