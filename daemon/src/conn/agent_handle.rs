//! What a connection needs of the agent.

use crate::broker::ClientRequest;
use crate::events::EventLog;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, watch};

/// Where requests go, and what connections share.
#[derive(Clone)]
pub struct AgentHandle {
    /// Where requests go.
    pub inbox: mpsc::Sender<ClientRequest>,
    /// Becomes true when the agent shuts down.
    pub closing: watch::Receiver<bool>,
    /// What can be followed.
    pub events: EventLog,
    /// Places for those who follow: fewer than there are for connections, so that others still get in.
    pub followers: Arc<Semaphore>,
}
