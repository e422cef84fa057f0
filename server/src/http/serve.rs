//! Accepts connections and serves them until told to stop; requests under way are then finished.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::http::crowd::{Crowd, CrowdLimits, Place};

/// How long a client may take to send a request's head, and how long a connection may idle.
const SLOWEST_HEAD: Duration = Duration::from_secs(30);

/// How long requests under way may take once the server is told to stop.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

/// What a listener that is not the server's own allows.
const FEW: CrowdLimits = CrowdLimits { all: 1024, of_one: 256, trusted: Vec::new() };

/// Serves `router` on `listener` until `stop` completes and the requests under way are answered, or
/// have had ten seconds.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_all(vec![listener], router, FEW, stop).await;
}

/// The same on several listeners, with these limits for all of them together.
pub async fn serve_all(
    listeners: Vec<TcpListener>,
    router: Router,
    limits: CrowdLimits,
    stop: impl Future<Output = ()>,
) {
    let (graceful, crowd) = (GracefulShutdown::new(), Crowd::new(limits));
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listeners) => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of descriptors or memory; trying again at once would only spin.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let place = tokio::select! {
            () = &mut stop => break,
            place = crowd.admit(peer.ip()) => place,
        };
        let Some(place) = place.map(Arc::new) else { continue };
        let router = TowerToHyperService::new(router.clone().layer(Extension(ConnectInfo(peer))));
        let seated = Arc::clone(&place);
        let service = service_fn(move |request| answer(router.clone(), Arc::clone(&seated), request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(SLOWEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                },
                () = place.wanted() => {}
            }
        });
    }
    drop(listeners);
    if tokio::time::timeout(LONGEST_FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

/// What a client sends or takes is seen, so that the one who does neither can be told from the others.
async fn answer(
    router: TowerToHyperService<Router>,
    place: Arc<Place>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    if request.body().is_end_stream() {
        place.works();
    } else {
        place.owes();
    }
    let sent =
        request.map(|body| Body::new(Watched { body, place: Arc::clone(&place), whole: Place::works }));
    let response = router.call(sent).await;
    place.owes();
    response.map(|response| response.map(|body| Body::new(Watched { body, place, whole: Place::owes })))
}

/// A body that says whenever some of it has passed, and when all has.
struct Watched<B> {
    body: B,
    place: Arc<Place>,
    whole: fn(&Place),
}

impl<B: HttpBody + Unpin> HttpBody for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(_))) if !self.body.is_end_stream() => self.place.owes(),
            Poll::Ready(_) => (self.whole)(&self.place),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The next connection of any listener.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}
