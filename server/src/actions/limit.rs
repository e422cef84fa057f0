//! Sliding-window limits within a transaction.

use std::time::Duration;

use crate::actions::server_error::{ServerError, action_error};
use crate::app::AppState;
use crate::db::throttle::ThrottleKind;
use crate::db::{Tx, retry};
use crate::metrics::METRICS;
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
    let rate = check(limit, tx.nth_newest(kind, subject, limit.max).await?, now);
    if rate != Rate::Open {
        METRICS.limit_refused(kind);
    }
    Ok(rate)
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
