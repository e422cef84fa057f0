//! While a refresh is under way the machine is asked to wait with going to sleep. Nothing waits for the answer.

use crate::inhibitor::Inhibitor;
use crate::lookout;
use std::io;
use std::os::unix::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Whether that is asked for now.
#[derive(Default)]
pub struct SleepDelay {
    /// What is held ends when this is dropped.
    held: Option<oneshot::Sender<()>>,
}

enum Held {
    /// A lookout holds it until this is closed.
    ByLookout {
        _until_closed: UnixStream,
    },
    Here {
        _until_dropped: Inhibitor,
    },
}

impl SleepDelay {
    /// Asks for it while there is something to be finished.
    pub fn set(&mut self, busy: bool) {
        match (busy, &self.held) {
            (true, None) => {
                let (held, released) = oneshot::channel::<()>();
                self.held = Some(held);
                // No thread waits with it: a refresh may need the only one.
                tokio::spawn(async move {
                    match spawn_blocking(hold).await {
                        Ok(Ok(held)) => {
                            let _ = released.await;
                            // What holds it is waited for.
                            spawn_blocking(move || drop(held));
                        }
                        Ok(Err(e)) => {
                            tracing::debug!(error = %e, "can't ask the machine to wait with sleeping");
                        }
                        Err(_) => {}
                    }
                });
            }
            (false, Some(_)) => self.held = None,
            (true, Some(_)) | (false, None) => {}
        }
    }
}

fn hold() -> io::Result<Option<Held>> {
    match lookout::stay_awake() {
        Some(stream) => Ok(Some(Held::ByLookout { _until_closed: stream? })),
        None => Ok(Inhibitor::hold()?.map(|inhibitor| Held::Here { _until_dropped: inhibitor })),
    }
}
