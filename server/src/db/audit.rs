//! What happened: an append-only table without secrets or addresses, whose old lines are forgotten.

use sqlx::Row as _;

use crate::db::row::moment;
use crate::db::sessions::StoredSession;
use crate::db::{DbError, Tx};
use crate::rules::audit_event::AuditEvent;
use crate::rules::audit_thinning::Thinned;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct AuditEntry<'a> {
    pub event: AuditEvent,
    /// To which session, if one is known.
    pub session: Option<&'a StoredSession>,
    /// The generation it concerns, if that is not the session's own.
    pub generation: Option<i64>,
    /// More, such as why; never a secret or an address.
    pub detail: Option<&'a str>,
}

#[derive(Debug)]
pub struct AuditLine {
    /// Counts up.
    pub id: i64,
    pub at: Timestamp,
    /// What happened: [`AuditEvent::as_str`].
    pub event: String,
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub generation: Option<i64>,
    pub detail: Option<String>,
}

impl Tx {
    pub async fn record(&mut self, entry: AuditEntry<'_>, now: Timestamp) -> Result<(), DbError> {
        let word = entry.event.as_str();
        let thinned = if entry.event.is_anybodys() {
            self.thin(word, None, now)
        } else if entry.event.is_repeatable() {
            self.thin(word, entry.session.map(|session| session.user.id.as_str()), now)
        } else {
            Thinned::Kept
        };
        let detail = match thinned {
            Thinned::Kept => entry.detail.map(str::to_owned),
            Thinned::Sign(count) => Some(format!("one of {count} in this hour")),
            Thinned::Dropped => {
                self.count_when_committed(entry.event);
                return Ok(());
            }
        };
        let generation = entry.generation.or(entry.session.map(|session| session.generation));
        sqlx::query(
            "INSERT INTO audit (at, event, user_id, session_id, generation, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(now.millis())
        .bind(entry.event.as_str())
        .bind(entry.session.map(|session| session.user.id.clone()))
        .bind(entry.session.map(|session| session.id.clone()))
        .bind(generation)
        .bind(detail)
        .execute(self.connection())
        .await?;
        self.count_when_committed(entry.event);
        Ok(())
    }

    /// Forgets some lines before `horizon`, and alarms before `alarms`, oldest first. Returns how many there were.
    pub async fn forget_audit(&mut self, horizon: Timestamp, alarms: Timestamp) -> Result<u64, DbError> {
        let words = AuditEvent::ALARMS.map(|event| format!("'{}'", event.as_str())).join(", ");
        let mut gone = 0;
        for (before, which) in [(horizon, "NOT IN"), (alarms, "IN")] {
            let done = sqlx::query(sqlx::AssertSqlSafe(format!(
                "DELETE FROM audit WHERE id IN
                    (SELECT id FROM audit WHERE at < $1 AND event {which} ({words}) ORDER BY at LIMIT 5000)"
            )))
            .bind(before.millis())
            .execute(self.connection())
            .await?;
            gone += done.rows_affected();
        }
        Ok(gone)
    }

    /// Up to 1000 lines after the one with id `after`, oldest first.
    pub async fn audit_after(&mut self, after: i64) -> Result<Vec<AuditLine>, DbError> {
        let rows = sqlx::query(
            "SELECT id, at, event, user_id, session_id, generation, detail FROM audit
             WHERE id > $1 ORDER BY id LIMIT 1000",
        )
        .bind(after)
        .fetch_all(self.connection())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    id: row.try_get("id")?,
                    at: moment(row, "at")?,
                    event: row.try_get("event")?,
                    user_id: row.try_get("user_id")?,
                    session_id: row.try_get("session_id")?,
                    generation: row.try_get("generation")?,
                    detail: row.try_get("detail")?,
                })
            })
            .collect()
    }
}
