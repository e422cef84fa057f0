//! Accepts connections of this machine and serves them: bounded in number, in the time of a head, and by whose they are.

use crate::peer::{self, Peer};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Connections of the user at a time; more are turned away by closing.
const CONNECTIONS: usize = 128;

/// Connections at a time whose other end is being looked up; more wait in the kernel's queue.
const LOOKED_UP: usize = 8;

/// Connections of other users at a time that are told so; more are turned away by closing.
const STRANGERS: usize = 8;

/// How long a request's head may take to come, and how long a connection may idle.
const SLOWEST_HEAD: Duration = Duration::from_secs(30);

/// How long it may take with a stranger.
const STRANGERS_HEAD: Duration = Duration::from_secs(2);

/// How much the system may keep for a browser that does not read, in bytes; left alone, it keeps megabytes.
const UNREAD: usize = 64 * 1024;

/// How many ports are tried until one is free for both families.
const PORTS: usize = 16;

/// Ends a connection from the inside, for one whose reader has stopped reading.
#[derive(Clone, Default)]
pub struct Hangup(Arc<Notify>);

impl Hangup {
    /// Ends it.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// A free port of 127.0.0.1 and, where there is one, of ::1: browsers try that first for a name that ends in
/// `localhost`, so nobody else may have it.
///
/// # Errors
/// Where there is no such port.
pub async fn bind() -> io::Result<(u16, Vec<TcpListener>)> {
    for _ in 0..PORTS {
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = four.local_addr()?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(six) => return Ok((port, vec![four, six])),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            // This machine has no such address.
            Err(_) => return Ok((port, vec![four])),
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// Serves `router` on `listener` for ever.
pub async fn serve(listener: TcpListener, router: Router) {
    let rooms =
        Rooms { own: Arc::new(Semaphore::new(CONNECTIONS)), strangers: Arc::new(Semaphore::new(STRANGERS)) };
    let hall = Arc::new(Semaphore::new(LOOKED_UP));
    loop {
        let (stream, theirs) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of descriptors or memory; trying again at once would only spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(waiting) = Arc::clone(&hall).acquire_owned().await else { return };
        tokio::spawn(welcome(stream, theirs, waiting, rooms.clone(), router.clone()));
    }
}

/// Room for connections, so that other users take none from this one.
#[derive(Clone)]
struct Rooms {
    own: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// Finds out whose connection it is, and serves it.
async fn welcome(
    stream: TcpStream,
    theirs: SocketAddr,
    waiting: OwnedSemaphorePermit,
    rooms: Rooms,
    router: Router,
) {
    let Ok(ours) = stream.local_addr() else { return };
    let _ = set_socket_send_buffer_size(&stream, UNREAD);
    let looked = tokio::task::spawn_blocking(move || peer::of(ours, theirs)).await;
    drop(waiting);
    let peer = looked.unwrap_or(Peer::Stranger);
    let (room, head) = match peer {
        Peer::Own | Peer::Unknown => (rooms.own, SLOWEST_HEAD),
        Peer::Stranger => {
            tracing::warn!("turned away a connection of another user of this machine");
            (rooms.strangers, STRANGERS_HEAD)
        }
    };
    let Ok(place) = room.try_acquire_owned() else { return };
    let hangup = Hangup::default();
    let service = router.layer(Extension(peer)).layer(Extension(hangup.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .keep_alive(peer != Peer::Stranger)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::select! {
        ended = connection => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended badly");
        },
        () = hangup.0.notified() => {}
    }
    drop(place);
}
