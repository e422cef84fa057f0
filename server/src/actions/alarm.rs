//! The alarm: somebody else may hold what a session holds. The session ends, with what it has made, and its user hears.

use crate::actions::letters;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::made_by_session::MadeBySession;
use crate::db::sessions::{SessionEndReason, StoredSession};
use crate::db::{DbError, Tx};
use crate::mail::{AlarmNotice, MailNotice};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::time::Timestamp;

/// What an alarm ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmReach {
    /// Every session of the user.
    User,
    /// The session whose token came twice.
    Session,
}

/// Raises it within `tx`. `caller` is who came second. Returns how many sessions were still open.
pub async fn raise(
    app: &AppState,
    tx: &mut Tx,
    session: &StoredSession,
    reach: AlarmReach,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<u64, DbError> {
    let ended = match reach {
        AlarmReach::User => tx.end_sessions_of(&session.user.id, SessionEndReason::Replay, now).await?,
        AlarmReach::Session => u64::from(tx.end_session(&session.id, SessionEndReason::Replay, now).await?),
    };
    let made = tx.end_made_by(&session.id, now).await?;
    record_end(tx, session, &made, now).await?;
    let notice = MailNotice::Alarm(AlarmNotice {
        session: letters::describe(tx, session).await?,
        began_at: session.created_at,
        began_from: session.address.clone(),
        seen_from: session.last_seen.as_ref().map(|(_, from)| from.clone()),
        everywhere: reach == AlarmReach::User,
        made,
    });
    letters::write(app, tx, &session.user, notice, caller, now).await?;
    Ok(ended)
}

async fn record_end(
    tx: &mut Tx,
    session: &StoredSession,
    made: &MadeBySession,
    now: Timestamp,
) -> Result<(), DbError> {
    for (_, prefix) in &made.tokens {
        let (event, detail) = (AuditEvent::PersonalTokenRevoked, Some(prefix.as_str()));
        tx.record(AuditEntry { event, session: Some(session), generation: None, detail }, now).await?;
    }
    if made.shares + made.invitations > 0 {
        let detail = format!("{} links, {} invitations", made.shares, made.invitations);
        let (event, detail) = (AuditEvent::MadeBySessionEnded, Some(detail.as_str()));
        tx.record(AuditEntry { event, session: Some(session), generation: None, detail }, now).await?;
    }
    Ok(())
}
