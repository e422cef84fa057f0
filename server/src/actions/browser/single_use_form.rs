//! Forms that act once, however often a browser sends them.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, Tx, retry};
use crate::rules::rate::Limit;
use crate::time::Timestamp;

/// How long a form can be sent, and how long it is remembered that it was.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);

/// Names one form on one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormId {
    at: Timestamp,
    id: Uuid,
}

impl FormId {
    /// For a form shown at this moment.
    pub fn new(at: Timestamp) -> Self {
        Self { at, id: Uuid::new_v4() }
    }

    /// Reads what a form carried.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        let id = Uuid::try_parse(id).ok()?;
        let at = at.parse().ok().map(Timestamp::from_millis)?;
        Some(Self { at, id })
    }
}

impl fmt::Display for FormId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.millis(), self.id)
    }
}

/// Whether this session may still send this form: it has not done so with effect, and it is not too late.
pub async fn is_open(
    tx: &mut Tx,
    session: &StoredSession,
    form: &FormId,
    now: Timestamp,
) -> Result<bool, DbError> {
    if now < form.at || now.since(form.at) >= LASTS {
        return Ok(false);
    }
    Ok(tx.nth_newest(ThrottleKind::FormSent, &subject(session, form), 1).await?.is_none())
}

/// Has this form used up, once the transaction that looked whether it is open is committed.
pub async fn use_up(
    tx: &mut Tx,
    session: &StoredSession,
    form: &FormId,
    now: Timestamp,
) -> Result<(), DbError> {
    let limit = Limit { max: 1, window: LASTS };
    tx.count_event(ThrottleKind::FormSent, &subject(session, form), limit, now).await?;
    Ok(())
}

fn subject(session: &StoredSession, form: &FormId) -> String {
    format!("{} {form}", session.id)
}

/// Whether a ticket with this id is brought for the first time.
pub async fn first_ticket(app: &AppState, id: Uuid) -> Result<bool, ServerError> {
    retry(|| async {
        let (mut tx, subject) = (app.store.begin().await?, format!("ticket {id}"));
        if tx.nth_newest(ThrottleKind::FormSent, &subject, 1).await?.is_some() {
            return Ok(false);
        }
        let once = Limit { max: 1, window: LASTS };
        tx.count_event(ThrottleKind::FormSent, &subject, once, app.now()).await?;
        tx.commit().await?;
        Ok(true)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_name_goes_both_ways() {
        let form = FormId::new(Timestamp::from_secs(5));
        assert_eq!(FormId::parse(&form.to_string()), Some(form));
        for text in ["", ".", "5000", "5000.x", "x.00000000-0000-4000-8000-000000000000"] {
            assert_eq!(FormId::parse(text), None, "{text}");
        }
    }
}
