//! One transaction. The queries are its methods, one file for each kind of row.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Any, AnyConnection};

use crate::db::DbError;
use crate::db::dialect::Dialect;
use crate::db::error::is_contention;
use crate::metrics::METRICS;
use crate::rules::audit_event::AuditEvent;
use crate::rules::audit_thinning::{AuditThinning, Thinned};
use crate::time::Timestamp;

/// One transaction. Dropped without a commit it changes nothing.
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    pub(super) dialect: Dialect,
    recorded: Vec<AuditEvent>,
    afterwards: Vec<Afterwards>,
    thinning: Arc<Mutex<AuditThinning>>,
}

/// What is done once a transaction is committed, and not at all if it is not.
type Afterwards = Box<dyn FnOnce() + Send + Sync>;

impl Tx {
    pub(super) fn new(
        inner: sqlx::Transaction<'static, Any>,
        dialect: Dialect,
        thinning: Arc<Mutex<AuditThinning>>,
    ) -> Self {
        Self { inner, dialect, recorded: Vec::new(), afterwards: Vec::new(), thinning }
    }

    /// Whether one more line of this event is kept.
    pub(super) fn thin(&self, event: &'static str, user: Option<&str>, now: Timestamp) -> Thinned {
        self.thinning.lock().unwrap_or_else(PoisonError::into_inner).count(event, user, now)
    }

    /// What queries run on.
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// Has an event counted once the transaction is committed.
    pub(super) fn count_when_committed(&mut self, event: AuditEvent) {
        self.recorded.push(event);
    }

    /// Has something done once the transaction is committed: what leaves the server must not be taken back.
    pub fn when_committed(&mut self, act: impl FnOnce() + Send + Sync + 'static) {
        self.afterwards.push(Box::new(act));
    }

    /// Makes the changes durable before it returns.
    pub async fn commit(self) -> Result<(), DbError> {
        self.inner.commit().await.map_err(|error| {
            if is_contention(&error) { DbError::Contended(error) } else { DbError::Unconfirmed(error) }
        })?;
        self.recorded.into_iter().for_each(|event| METRICS.happened(event));
        self.afterwards.into_iter().for_each(|act| act());
        Ok(())
    }
}
