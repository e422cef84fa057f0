//! Forgets what can no longer matter: old rate-limit events, codes, long lapsed spent tokens.

use std::sync::Arc;
use std::time::Duration;

use crate::actions::browser::single_use_form;
use crate::db::throttle::ThrottleKind;
use crate::db::{Database, DbError, retry};
use crate::limits::{ALARMS_STAY, AUDIT_STAYS, Limits};
use crate::time::{TimeSource, Timestamp};

const PERIOD: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// How long a revoked or lapsed personal access token stays in its owner's list.
const PERSONAL_TOKENS_STAY: Duration = Duration::from_secs(90 * 86_400);

/// What is forgotten, and when.
pub struct Housekeeping {
    pub store: Database,
    /// Tells how long events count.
    pub limits: Limits,
    /// How long refresh tokens live.
    pub refresh_ttl: Duration,
    pub clock: Arc<dyn TimeSource>,
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
    pub async fn tidy(&self, now: Timestamp) -> Result<u64, DbError> {
        let mut gone = retry(|| self.tidy_once(now)).await?;
        // What grows without end is forgotten in small transactions, so that nobody waits for one that is long.
        loop {
            let some = retry(|| self.forget_old(now)).await?;
            gone += some;
            if some == 0 {
                return Ok(gone);
            }
        }
    }

    async fn forget_old(&self, now: Timestamp) -> Result<u64, DbError> {
        let limits = &self.limits;
        let (audit, alarms) = (limits.audit_kept.max(AUDIT_STAYS), limits.alarms_kept.max(ALARMS_STAY));
        let mut tx = self.store.begin().await?;
        let mut gone = tx.forget_audit(now.minus(audit), now.minus(alarms)).await?;
        gone += tx.forget_sessions(now.minus(limits.ended_sessions_kept)).await?;
        gone += tx.forget_clients(now.minus(limits.unused_clients_kept), 5000).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn tidy_once(&self, now: Timestamp) -> Result<u64, DbError> {
        let mut tx = self.store.begin().await?;
        let mut gone = tx.forget_events(now.minus(self.longest_window())).await?;
        for kind in ThrottleKind::COUNTED {
            gone += tx.forget_events_of(*kind, now.minus(kind.counts_for(&self.limits))).await?;
        }
        // The guesses at a code count for as long as those at the email do.
        let counted = self.limits.failures_per_email.window.saturating_add(self.limits.code_ttl);
        gone += tx.forget_codes(now.minus(counted).minus(self.limits.code_ttl)).await?;
        gone += tx.forget_networks(now.minus(self.limits.familiar_for)).await?;
        // A used one is remembered for a while, so that a second use is noticed.
        gone += tx.forget_authorizations(now.minus(DAY)).await?;
        // A spent token is needed for as long as its successor may be answered again.
        gone += tx.forget_tokens(now.minus(self.refresh_ttl)).await?;
        gone += tx.forget_personal_tokens(now.minus(PERSONAL_TOKENS_STAY)).await?;
        gone += tx.forget_invitations(now).await?;
        gone += tx.forget_factors(now).await?;
        gone += tx.forget_browsers(now).await?;
        // A device that polls a little late is still told that its code has expired.
        gone += tx.forget_device_grants(now.minus(PERIOD)).await?;
        tx.commit().await?;
        Ok(gone)
    }

    fn longest_window(&self) -> Duration {
        self.limits.longest_window().max(single_use_form::LASTS)
    }
}
