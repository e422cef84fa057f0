//! Sliding-window limits within a transaction.

use super::Refusal;
use crate::app::App;
use crate::db::Tx;
use crate::db::throttle::Kind;
use crate::rules::rate::{Limit, Rate, check};
use crate::time::Moment;

/// Whether one more event of this kind and subject fits; counts nothing.
pub async fn room(
    tx: &mut Tx,
    kind: Kind,
    subject: &str,
    limit: Limit,
    now: Moment,
) -> Result<Rate, Refusal> {
    Ok(check(limit, tx.nth_newest(kind, subject, limit.max).await?, now))
}

/// Counts one event, or refuses it because its window is full. Only a commit keeps the count.
pub async fn admit(tx: &mut Tx, kind: Kind, subject: &str, limit: Limit, now: Moment) -> Result<(), Refusal> {
    if let Rate::Full { retry_after } = room(tx, kind, subject, limit, now).await? {
        return Err(Refusal::RateLimited { retry_after });
    }
    tx.count_event(kind, subject, limit, now).await?;
    Ok(())
}

/// Counts one event in a transaction of its own, so that it counts whatever becomes of the request.
pub async fn admit_alone(app: &App, kind: Kind, subject: &str, limit: Limit) -> Result<(), Refusal> {
    super::again(|| async {
        let mut tx = app.store.begin().await?;
        admit(&mut tx, kind, subject, limit, app.now()).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
