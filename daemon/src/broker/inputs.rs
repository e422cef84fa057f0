//! What comes to the broker from outside.

use crate::caller_process::CallerProcess;
use crate::clock;
use crate::lookout;
use everkey_proto::request::ProfileRequest;
use everkey_proto::text::harmless;
use everkey_proto::{Expect, Reply, Request, Secret};
use everkey_session::Op;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

pub struct ClientRequest {
    pub request: Request,
    pub caller: Caller,
    pub reply: oneshot::Sender<Reply>,
}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The process, as the system says.
    pub pid: i32,
    /// What the program calls itself. Nobody has checked it.
    pub name: Option<String>,
    /// When it was let in, in milliseconds since boot.
    since: u64,
    /// What it runs and where it comes from; looked at when it is handed its first token.
    pub process: Option<Arc<CallerProcess>>,
}

impl Caller {
    /// A process and the name in its hello.
    pub fn new(pid: i32, name: &str) -> Self {
        let name = Some(harmless(name.trim(), 64)).filter(|name| !name.is_empty());
        Self { pid, name, since: clock::boot().0, process: None }
    }

    /// Looks at the process while it waits for its answer: afterwards it may be gone.
    pub async fn look(&mut self, peer: Option<OwnedFd>) {
        let (pid, since) = (self.pid, self.since);
        let looked = tokio::task::spawn_blocking(move || lookout::look_at(pid, peer, since)).await;
        self.process = looked.ok().map(Arc::new);
    }
}

/// A client's request about one profile.
pub struct RequestToProfile {
    pub profile: Option<String>,
    pub expect: Expect,
    pub request: ProfileRequest,
    pub caller: Caller,
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
