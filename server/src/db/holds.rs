//! Whom the sliding-window limits hold at this moment, and how the operator lets them go.

use sqlx::Row as _;

use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, Tx};
use crate::rules::address;
use crate::rules::rate::Limit;
use crate::time::Timestamp;

/// Someone whose window is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitHold {
    /// An address, a user's id or whatever else the limit counts by.
    pub subject: String,
    /// When the next event fits.
    pub until: Timestamp,
}

impl Tx {
    /// Whose window of this limit is full, those who wait longest first.
    pub async fn holds(
        &mut self,
        kind: ThrottleKind,
        limit: Limit,
        now: Timestamp,
    ) -> Result<Vec<LimitHold>, DbError> {
        let rows = sqlx::query(
            "SELECT subject, COUNT(*) AS events FROM throttle WHERE kind = $1 AND at > $2
             GROUP BY subject HAVING COUNT(*) >= $3",
        )
        .bind(kind.as_str())
        .bind(now.minus(limit.window).millis())
        .bind(i64::from(limit.max))
        .fetch_all(self.connection())
        .await?;
        let mut holds = Vec::with_capacity(rows.len());
        for row in rows {
            let subject: String = row.try_get("subject")?;
            let limit = limit.times(address::factor_of(&subject));
            if let Some(at) = self.nth_newest(kind, &subject, limit.max).await? {
                holds.push(LimitHold { subject, until: at.plus(limit.window) });
            }
        }
        holds.sort_by_key(|hold| std::cmp::Reverse(hold.until));
        Ok(holds)
    }

    /// Forgets what was counted for a subject, and for it together with a network. Returns how many events there were.
    pub async fn lift_hold(&mut self, kind: ThrottleKind, subject: &str) -> Result<u64, DbError> {
        let done = sqlx::query(
            "DELETE FROM throttle WHERE kind = $1
             AND (subject = $2 OR SUBSTR(subject, 1, LENGTH($2) + 6) = $2 || ' from ')",
        )
        .bind(kind.as_str())
        .bind(subject)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }
}
