//! The alarm: somebody else may hold what a session holds. The session ends, with what it has let in and made, and its user
//! hears.

use crate::actions::letters;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::made_by_session::MadeBySession;
use crate::db::second_factor::SpentBrowser;
use crate::db::sessions::{SessionEndReason, StoredSession};
use crate::db::{DbError, Tx};
use crate::mail::{AlarmNotice, MailNotice};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::SessionKind;
use crate::time::Timestamp;

/// What an alarm ends.
#[derive(Clone, Copy, Debug)]
pub enum AlarmReach<'a> {
    /// Every session of the user.
    User,
    /// The session whose token came twice.
    Session,
    /// Every session that a remembered browser has begun since its cookie was copied.
    Browser(&'a SpentBrowser),
}

/// Raises it within `tx`. `caller` is who came second. Returns how many sessions were still open.
pub async fn raise(
    app: &AppState,
    tx: &mut Tx,
    session: &StoredSession,
    reach: AlarmReach<'_>,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<u64, DbError> {
    let mut ended = 0;
    let mut made = MadeBySession::default();
    let began = match reach {
        AlarmReach::User | AlarmReach::Session => vec![session.id.clone()],
        AlarmReach::Browser(SpentBrowser { browser, at }) => tx.begun_by_browser(browser, *at).await?,
    };
    let let_in = let_in_by_any(tx, &began).await?;
    for id in began.iter().chain(&let_in) {
        let one = tx.session_for_update(id).await?.ok_or(DbError::Corrupt("sessions.approved_by"))?;
        let was_open = tx.end_by_alarm(id, now).await?;
        made.add(tx.end_made_by(id, now).await?);
        ended += u64::from(was_open);
        if was_open && let_in.contains(id) {
            made.let_in.push(letters::describe(tx, &one).await?);
        }
    }
    let everywhere = matches!(reach, AlarmReach::User);
    if everywhere {
        ended += tx.end_sessions_of(&session.user.id, SessionEndReason::Replay, now).await?;
    }
    record_end(tx, session, &made, now).await?;
    let notice = MailNotice::Alarm(AlarmNotice {
        session: letters::describe(tx, session).await?,
        app: match &session.grant {
            SessionKind::OAuth { client, .. } => Some(client.clone()),
            SessionKind::Cli { .. } => Some("achilles".to_owned()),
            SessionKind::FirstParty | SessionKind::Web => None,
        },
        began_at: session.created_at,
        began_from: session.address.clone(),
        seen_from: session.last_seen.as_ref().map(|(_, from)| from.clone()),
        everywhere,
        made,
    });
    letters::write(app, tx, &session.user, notice, caller, now).await?;
    Ok(ended)
}

/// What these sessions have let in, and what that has let in.
async fn let_in_by_any(tx: &mut Tx, began: &[String]) -> Result<Vec<String>, DbError> {
    let mut let_in: Vec<String> = Vec::new();
    let mut to_look_at = began.to_vec();
    while let Some(id) = to_look_at.pop() {
        for one in tx.let_in_by(&id).await? {
            if !began.contains(&one) && !let_in.contains(&one) {
                to_look_at.push(one.clone());
                let_in.push(one);
            }
        }
    }
    Ok(let_in)
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
    let sessions = made.let_in.len();
    if made.shares + made.invitations > 0 || sessions > 0 {
        let detail = format!("{} links, {} invitations, {sessions} sessions", made.shares, made.invitations);
        let (event, detail) = (AuditEvent::MadeBySessionEnded, Some(detail.as_str()));
        tx.record(AuditEntry { event, session: Some(session), generation: None, detail }, now).await?;
    }
    Ok(())
}
