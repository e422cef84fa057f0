//! Forgets what can no longer matter: old rate-limit events, dead codes, long lapsed spent tokens.

use std::sync::Arc;
use std::time::Duration;

use crate::actions::{Refusal, again};
use crate::db::Store;
use crate::limits::Limits;
use crate::time::{Clock, Moment};

const PERIOD: Duration = Duration::from_secs(3600);

/// What is forgotten, and when.
pub struct Housekeeping {
    /// The database.
    pub store: Store,
    /// Tells how long events count.
    pub limits: Limits,
    /// How long refresh tokens live.
    pub refresh_ttl: Duration,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Housekeeping {
    /// Tidies now and then every hour, for ever.
    pub async fn run(self) {
        let mut period = tokio::time::interval(PERIOD);
        loop {
            period.tick().await;
            match self.tidy(self.clock.now()).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "tidied the database"),
                Err(error) => tracing::warn!(%error, "could not tidy the database"),
            }
        }
    }

    /// Forgets once, and returns how many rows are gone.
    pub async fn tidy(&self, now: Moment) -> Result<u64, Refusal> {
        again(|| self.tidy_once(now)).await
    }

    async fn tidy_once(&self, now: Moment) -> Result<u64, Refusal> {
        let mut tx = self.store.begin().await?;
        let events = tx.forget_events(now.minus(self.longest_window())).await?;
        let codes = tx.forget_codes(now).await?;
        // A spent token is needed for as long as its successor may be answered again.
        let tokens = tx.forget_tokens(now.minus(self.refresh_ttl)).await?;
        tx.commit().await?;
        Ok(events + codes + tokens)
    }

    fn longest_window(&self) -> Duration {
        let Limits { codes_per_email, codes_per_ip, failures_per_email, code_cooldown, .. } = self.limits;
        codes_per_email.window.max(codes_per_ip.window).max(failures_per_email.window).max(code_cooldown)
    }
}
