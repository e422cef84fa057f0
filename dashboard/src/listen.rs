//! Serves connections of this machine: bounded in number, in the time of a head, and by whose they are.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::{Extension, Router};
use everkey_listen::{Guest, Loopback, Peer, Room, Seldom};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Connections of the user at a time; for one more, another gives way.
const CONNECTIONS: u32 = 128;

/// Connections of other users at a time that are told so.
const STRANGERS: u32 = 8;

/// How long a request's head may take to come, and how long a connection may idle.
const SLOWEST_HEAD: Duration = Duration::from_secs(30);

/// How long it may take with a stranger.
const STRANGERS_HEAD: Duration = Duration::from_secs(2);

/// How much the system may keep for a browser that does not read, in bytes; left alone, it keeps megabytes.
const UNREAD: usize = 64 * 1024;

/// Ends a connection from the inside, for one whose reader has stopped reading.
#[derive(Clone, Default)]
pub struct Hangup(Arc<Notify>);

impl Hangup {
    /// Ends it.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Serves `router` on `port` for ever.
pub async fn serve(port: Loopback, router: Router) {
    serve_connections(port, router, Arc::default()).await;
}

/// Serves it until no connection of this user's has been there for so long.
pub async fn serve_while_used(port: Loopback, router: Router, idle: Duration) {
    let used = Arc::new(Use::default());
    tokio::select! {
        () = serve_connections(port, router, Arc::clone(&used)) => {}
        () = used.ends(idle) => {}
    }
}

/// How much the dashboard is used.
#[derive(Default)]
struct Use {
    /// One more for each connection that there is.
    connections: Arc<()>,
    came: Notify,
}

impl Use {
    /// Waits until there has been no connection for so long.
    async fn ends(&self, idle: Duration) {
        loop {
            match timeout(idle, self.came.notified()).await {
                Err(_quiet) if Arc::strong_count(&self.connections) == 1 => return,
                Err(_) | Ok(()) => {}
            }
        }
    }
}

async fn serve_connections(mut port: Loopback, router: Router, used: Arc<Use>) {
    static REFUSED: Seldom = Seldom::new();
    let own = Room::new(CONNECTIONS, CONNECTIONS as usize);
    let strangers = Room::new(STRANGERS, STRANGERS as usize);
    loop {
        match port.next().await {
            Ok((stream, peer)) => {
                let room = if peer == Peer::Stranger { &strangers } else { &own };
                let guest = room.enter(None).await;
                used.came.notify_one();
                let (connection, router) = (Arc::clone(&used.connections), router.clone());
                tokio::spawn(async move {
                    welcome(stream, peer, guest, router).await;
                    drop(connection);
                });
            }
            Err(error) => {
                if let Some(times) = REFUSED.happened() {
                    tracing::warn!(%error, times, "a connection could not be accepted");
                }
            }
        }
    }
}

/// Serves a connection until it ends or has to give way.
async fn welcome(stream: TcpStream, peer: Peer, guest: Guest, router: Router) {
    static TURNED_AWAY: Seldom = Seldom::new();
    static SAID: Once = Once::new();
    let _ = set_socket_send_buffer_size(&stream, UNREAD);
    let head = match peer {
        Peer::Own => SLOWEST_HEAD,
        Peer::Unknown => {
            SAID.call_once(|| {
                tracing::warn!("this system does not say whose a connection is; its cookie decides");
            });
            SLOWEST_HEAD
        }
        Peer::Stranger => {
            if let Some(times) = TURNED_AWAY.happened() {
                tracing::warn!(times, "turned away a connection of another user of this machine");
            }
            STRANGERS_HEAD
        }
    };
    let (guest, hangup) = (Arc::new(guest), Hangup::default());
    let service = router
        .layer(from_fn_with_state(Arc::clone(&guest), busy_until_answered))
        .layer(Extension(peer))
        .layer(Extension(hangup.clone()));
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
        () = guest.gives_way() => {}
    }
}

/// A connection is busy from a request's head to its answer's end.
async fn busy_until_answered(State(guest): State<Arc<Guest>>, request: Request, next: Next) -> Response {
    let busy = guest.busy();
    let answer = next.run(request).await;
    answer.map(|body| {
        Body::new(body.map_err(move |error| {
            let _until_sent = &busy;
            error
        }))
    })
}
