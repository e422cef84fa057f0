//! Makes a connection, parks it, and hands it out once: reqwest connects and sends in one go, and S1 must end before S2
//! begins.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service};

/// Tells how far a parked connection is.
#[derive(Clone, Default)]
pub struct Lot(Arc<AtomicU8>);

const EMPTY: u8 = 0;
const TAKEN: u8 = 1;
const RELEASED: u8 = 2;

impl Lot {
    pub fn is_taken(&self) -> bool {
        self.0.load(Ordering::Acquire) == TAKEN
    }

    /// The next request may have it.
    pub fn release(&self) {
        self.0.store(RELEASED, Ordering::Release);
    }
}

/// Wraps reqwest's own connector.
#[derive(Clone)]
pub struct ParkLayer(Lot);

impl ParkLayer {
    pub fn new(lot: Lot) -> Self {
        Self(lot)
    }
}

impl<Req, Conn> Layer<BoxCloneSyncService<Req, Conn, BoxError>> for ParkLayer {
    type Service = Park<Req, Conn>;

    fn layer(&self, inner: BoxCloneSyncService<Req, Conn, BoxError>) -> Self::Service {
        Park { inner, lot: self.0.clone(), space: Arc::default() }
    }
}

/// The connector: parks its first connection, hands it out once released, and never makes another.
pub struct Park<Req, Conn> {
    inner: BoxCloneSyncService<Req, Conn, BoxError>,
    lot: Lot,
    space: Arc<Mutex<Option<Conn>>>,
}

impl<Req, Conn> Clone for Park<Req, Conn> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), lot: self.lot.clone(), space: Arc::clone(&self.space) }
    }
}

impl<Req: Send + 'static, Conn: Send + 'static> Service<Req> for Park<Req, Conn> {
    type Response = Conn;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Conn, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, destination: Req) -> Self::Future {
        let (lot, space) = (self.lot.clone(), Arc::clone(&self.space));
        match lot.0.load(Ordering::Acquire) {
            EMPTY => {
                let connecting = self.inner.call(destination);
                Box::pin(async move {
                    let connection = connecting.await?;
                    *space.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
                    lot.0.store(TAKEN, Ordering::Release);
                    Err(NotForUse.into())
                })
            }
            RELEASED => {
                let parked = space.lock().unwrap_or_else(PoisonError::into_inner).take();
                Box::pin(async move { parked.ok_or_else(|| NotForUse.into()) })
            }
            _ => Box::pin(async move { Err(NotForUse.into()) }),
        }
    }
}

/// The connection is parked, or has been used.
#[derive(Debug)]
struct NotForUse;

impl fmt::Display for NotForUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is parked or used up")
    }
}

impl Error for NotForUse {}
