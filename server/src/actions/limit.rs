//! Sliding-window limits within a transaction.

use std::time::Duration;

use crate::actions::server_error::{ServerError, action_error};
use crate::app::AppState;
use crate::db::throttle::{EventId, ThrottleKind};
use crate::db::{Tx, retry};
use crate::metrics::METRICS;
use crate::rules::address::NetworkAddress;
use crate::rules::rate::{Limit, Rate, check};
use crate::time::Timestamp;

/// Why an event that a limit counts was not let through.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited { retry_after: Duration },
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(LimitError);

/// Lets `?` turn a full limit into the error of a folder, which has a variant `RateLimited { retry_after }`.
macro_rules! from_limit_error {
    ($error:ty) => {
        impl From<$crate::actions::limit::LimitError> for $error {
            fn from(error: $crate::actions::limit::LimitError) -> Self {
                match error {
                    $crate::actions::limit::LimitError::RateLimited { retry_after } => {
                        Self::RateLimited { retry_after }
                    }
                    $crate::actions::limit::LimitError::Server(error) => Self::Server(error),
                }
            }
        }
    };
}

pub(crate) use from_limit_error;

/// Whether one more event of this kind and subject fits; counts nothing.
pub async fn room(
    tx: &mut Tx,
    kind: ThrottleKind,
    subject: &str,
    limit: Limit,
    now: Timestamp,
) -> Result<Rate, ServerError> {
    let rate = peek(tx, kind, subject, limit, now).await?;
    if rate != Rate::Open {
        METRICS.limit_refused(kind);
    }
    Ok(rate)
}

/// The same where nothing is refused for it.
async fn peek(
    tx: &mut Tx,
    kind: ThrottleKind,
    subject: &str,
    limit: Limit,
    now: Timestamp,
) -> Result<Rate, ServerError> {
    Ok(check(limit, tx.nth_newest(kind, subject, limit.max).await?, now))
}

/// Counts one event, or refuses it because its window is full. Only a commit keeps the count.
pub async fn admit(
    tx: &mut Tx,
    kind: ThrottleKind,
    subject: &str,
    limit: Limit,
    now: Timestamp,
) -> Result<(), LimitError> {
    if let Rate::Full { retry_after } = room(tx, kind, subject, limit, now).await? {
        return Err(LimitError::RateLimited { retry_after });
    }
    tx.count_event(kind, subject, limit, now).await?;
    Ok(())
}

/// Counts one event in a transaction of its own, so that it counts whatever becomes of the request.
pub async fn admit_alone(
    app: &AppState,
    kind: ThrottleKind,
    subject: &str,
    limit: Limit,
) -> Result<(), LimitError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        admit(&mut tx, kind, subject, limit, app.now()).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// A limit that counts by network: by the one of an address, and more widely by those around it. All limits by network
/// go this way.
#[derive(Debug)]
pub struct NetworkLimit {
    kind: ThrottleKind,
    /// Each with its own limit, narrowest first.
    subjects: Vec<(String, Limit)>,
}

impl NetworkLimit {
    /// What comes from the networks of this address.
    pub fn new(kind: ThrottleKind, address: NetworkAddress, limit: Limit) -> Self {
        let blocks = address.blocks().into_iter();
        Self { kind, subjects: blocks.map(|(block, factor)| (block, limit.times(factor))).collect() }
    }

    /// What comes from there and is about this alone.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        for (subject, _) in &mut self.subjects {
            *subject = format!("{what} from {subject}");
        }
        self
    }

    /// When the newest event of the narrowest network was.
    pub async fn newest(&self, tx: &mut Tx) -> Result<Option<Timestamp>, ServerError> {
        match self.subjects.first() {
            Some((subject, _)) => Ok(tx.nth_newest(self.kind, subject, 1).await?),
            None => Ok(None),
        }
    }

    /// Whether fewer than so many have come lately from the widest network.
    pub async fn fewer_than(&self, max: u32, tx: &mut Tx, now: Timestamp) -> Result<bool, ServerError> {
        match self.subjects.last() {
            Some((subject, limit)) => {
                Ok(peek(tx, self.kind, subject, Limit { max, ..*limit }, now).await? == Rate::Open)
            }
            None => Ok(true),
        }
    }

    /// Whether one more event fits; counts nothing.
    pub async fn room(&self, tx: &mut Tx, now: Timestamp) -> Result<Rate, ServerError> {
        let mut rate = Rate::Open;
        for (subject, limit) in &self.subjects {
            rate = rate.and(room(tx, self.kind, subject, *limit, now).await?);
        }
        Ok(rate)
    }

    /// Whether one more event fits into half of the limit; counts nothing.
    pub async fn half_room(&self, tx: &mut Tx, now: Timestamp) -> Result<Rate, ServerError> {
        let mut rate = Rate::Open;
        for (subject, limit) in &self.subjects {
            rate = rate.and(peek(tx, self.kind, subject, limit.half(), now).await?);
        }
        Ok(rate)
    }

    /// Counts one event, and names what it counted, to be taken back.
    pub async fn count(&self, tx: &mut Tx, now: Timestamp) -> Result<Vec<EventId>, ServerError> {
        let mut events = Vec::with_capacity(self.subjects.len());
        for (subject, limit) in &self.subjects {
            events.push(tx.count_event(self.kind, subject, *limit, now).await?);
        }
        Ok(events)
    }

    /// Counts one event, or refuses it because a window is full. Only a commit keeps the count.
    pub async fn admit(&self, tx: &mut Tx, now: Timestamp) -> Result<(), LimitError> {
        if let Rate::Full { retry_after } = self.room(tx, now).await? {
            return Err(LimitError::RateLimited { retry_after });
        }
        self.count(tx, now).await?;
        Ok(())
    }

    /// Counts one event in a transaction of its own, so that it counts whatever becomes of the request.
    pub async fn admit_alone(&self, app: &AppState) -> Result<(), LimitError> {
        retry(|| async {
            let mut tx = app.store.begin().await?;
            self.admit(&mut tx, app.now()).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}
