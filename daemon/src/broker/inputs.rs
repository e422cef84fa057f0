//! What comes to the broker from outside.

use everkey_proto::{Reply, Request, Secret};
use everkey_session::Op;
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};

pub struct ClientRequest {
    pub request: Request,
    pub pid: i32,
    pub reply: oneshot::Sender<Reply>,
}

/// A browser that came back to the listener of a sign-in.
pub struct BrowserCallback {
    /// Whose sign-in it is.
    pub index: usize,
    pub listener: Op,
    pub query: Secret,
    /// How the sign-in ended.
    pub reply: oneshot::Sender<Reply>,
}

/// Where all of it arrives.
pub struct BrokerInputs {
    pub requests: mpsc::Receiver<ClientRequest>,
    /// Session files that may have changed.
    pub changed: mpsc::Receiver<PathBuf>,
    /// Resolves when the agent shall stop.
    pub stop: oneshot::Receiver<()>,
}
