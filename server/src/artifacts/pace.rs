//! How slow a transfer may be.

use std::time::Duration;

use tokio::time::Instant;

/// How slow a transfer may be.
#[derive(Clone, Copy, Debug)]
pub struct TransferPace {
    /// The longest pause.
    pub stall: Duration,
    /// When all of it must be over.
    pub end: Instant,
}

/// A transfer was too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side is too slow")]
pub struct TooSlow;

impl TransferPace {
    pub fn new(stall: Duration, longest: Duration) -> Self {
        Self { stall, end: Instant::now() + longest }
    }

    /// Waits for one step of it.
    pub async fn keep<T>(&self, step: impl Future<Output = T>) -> Result<T, TooSlow> {
        let end = self.end.min(Instant::now() + self.stall);
        tokio::time::timeout_at(end, step).await.map_err(|_| TooSlow)
    }
}
