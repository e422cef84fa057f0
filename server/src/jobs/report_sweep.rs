//! Ends what is over: reports that were kept long enough or never completed, and objects of the store of files that no
//! file needs any more. Any number of processes may do so at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::artifacts::store::ArtifactStore;
use crate::db::audit::AuditEntry;
use crate::db::{Database, DbError, retry};
use crate::rules::audit_event::AuditEvent;
use crate::time::{TimeSource, Timestamp};

/// How often to look, if nobody asks.
const PERIOD: Duration = Duration::from_secs(60);

/// How many at a time.
const MOST: i64 = 100;

/// When an object that could not be deleted is tried again.
const AGAIN: Duration = Duration::from_secs(600);

/// Ends what is over.
pub struct ReportSweep {
    pub store: Database,
    /// Where files are; none if this server keeps none.
    pub files: Option<ArtifactStore>,
    /// Asks for a sweep at once.
    pub wake: Arc<Notify>,
    pub clock: Arc<dyn TimeSource>,
}

/// What a sweep ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub reports: usize,
    pub objects: usize,
}

impl ReportSweep {
    /// Sweeps now and then, and when asked to, for ever.
    pub async fn run(self) {
        let mut period = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                _ = period.tick() => {}
                () = self.wake.notified() => {}
            }
            match self.sweep(self.clock.now()).await {
                Ok(Swept { reports: 0, objects: 0 }) => {}
                Ok(Swept { reports, objects }) => tracing::info!(reports, objects, "ended what is over"),
                Err(error) => tracing::warn!(%error, "could not end what is over"),
            }
        }
    }

    /// Sweeps once.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, DbError> {
        let mut swept = Swept::default();
        loop {
            let over = retry(|| self.end_reports(now)).await?;
            swept.reports += over;
            if over < MOST as usize {
                break;
            }
        }
        let Some(files) = &self.files else { return Ok(swept) };
        retry(|| async {
            let mut tx = self.store.begin().await?;
            tx.doom_overdue_uploads(now).await?;
            tx.commit().await
        })
        .await?;
        loop {
            let doomed = self.store.begin_reading().await?.doomed_objects(now, MOST).await?;
            for key in &doomed {
                let done = files.delete(key).await;
                if let Err(error) = &done {
                    tracing::warn!(%error, "an object could not be deleted");
                }
                swept.objects += usize::from(done.is_ok());
                retry(|| async {
                    let mut tx = self.store.begin().await?;
                    match done {
                        Ok(()) => tx.forget_object(key).await?,
                        Err(_) => tx.postpone_object(key, now.plus(AGAIN)).await?,
                    }
                    tx.commit().await
                })
                .await?;
            }
            if doomed.len() < MOST as usize {
                return Ok(swept);
            }
        }
    }

    /// Deletes some reports that are over; the database dooms their objects.
    async fn end_reports(&self, now: Timestamp) -> Result<usize, DbError> {
        if self.store.begin_reading().await?.reports_over(now, 1).await?.is_empty() {
            return Ok(0);
        }
        let mut tx = self.store.begin().await?;
        let over = tx.reports_over(now, MOST).await?;
        for id in &over {
            tx.delete_report_over(id).await?;
            let (event, detail) = (AuditEvent::ReportOver, Some(id.as_str()));
            tx.record(AuditEntry { event, session: None, generation: None, detail }, now).await?;
        }
        tx.commit().await?;
        Ok(over.len())
    }
}
