//! Ends sessions from a browser: its own, one other, all others.

use crate::actions::browser::session::still_open;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::left_behind::LeftBehind;
use crate::db::made_by_session::TokensOf;
use crate::db::sessions::{SessionEndReason, StoredSession};
use crate::db::{Tx, retry};
use crate::rules::audit_event::AuditEvent;
use crate::time::Timestamp;
use crate::tokens::browser::BrowserSecret;

/// Signs the browser with this cookie out. One that is not signed in is no error.
pub async fn sign_out(app: &AppState, cookie: &BrowserSecret) -> Result<(), ServerError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        of_cookie(&mut tx, cookie, app.now()).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Ends the session of a cookie within `tx`, if it has one.
pub(super) async fn of_cookie(
    tx: &mut Tx,
    cookie: &BrowserSecret,
    now: Timestamp,
) -> Result<(), ServerError> {
    let Some(web) = tx.web_session(&cookie.hash()).await? else { return Ok(()) };
    let Some(session) = tx.session_for_update(&web.session_id).await? else { return Ok(()) };
    end(tx, &session, AuditEvent::Logout, now).await
}

/// Ends the user's session with this id, and the access tokens it has made if these are to end too. `false`, and
/// nothing happens, if they have none; one that has ended already stays as it is.
pub async fn one(app: &AppState, mine: &StoredSession, id: &str, tokens: bool) -> Result<bool, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        still_open(&mut tx, mine).await?;
        let Some(session) = tx.session_for_update(id).await? else { return Ok(false) };
        if session.user.id != mine.user.id {
            return Ok(false);
        }
        let event = if session.id == mine.id { AuditEvent::Logout } else { AuditEvent::SessionEnded };
        let now = app.now();
        end(&mut tx, &session, event, now).await?;
        if tokens {
            revoke(&mut tx, mine, TokensOf::Session(&session.id), now).await?;
        }
        tx.commit().await?;
        Ok(true)
    })
    .await
}

/// Ends every session of the user but `mine`, and every access token that `mine` has not made if these are to end too.
/// Returns how many sessions were still open.
pub async fn others(app: &AppState, mine: &StoredSession, tokens: bool) -> Result<u64, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        still_open(&mut tx, mine).await?;
        let ended = tx.end_other_sessions_of(&mine.user.id, &mine.id, SessionEndReason::Logout, now).await?;
        let detail = ended.to_string();
        let entry = AuditEntry {
            event: AuditEvent::OthersEnded,
            session: Some(mine),
            generation: None,
            detail: Some(&detail),
        };
        tx.record(entry, now).await?;
        if tokens {
            revoke(&mut tx, mine, TokensOf::Others { user: &mine.user.id, session: &mine.id }, now).await?;
        }
        tx.commit().await?;
        Ok(ended)
    })
    .await
}

/// Revokes access tokens for the person behind `mine`, and ends the links and invitations made beside them.
async fn revoke(
    tx: &mut Tx,
    mine: &StoredSession,
    of: TokensOf<'_>,
    now: Timestamp,
) -> Result<(), ServerError> {
    for (_, prefix) in tx.revoke_tokens_of(of, now).await? {
        let (event, detail) = (AuditEvent::PersonalTokenRevoked, Some(prefix.as_str()));
        tx.record(AuditEntry { event, session: Some(mine), generation: None, detail }, now).await?;
    }
    let left = tx.end_left_behind(of, now).await?;
    if left != LeftBehind::default() {
        let detail = format!("{} links, {} invitations", left.shares, left.invitations);
        let (event, detail) = (AuditEvent::MadeBySessionEnded, Some(detail.as_str()));
        tx.record(AuditEntry { event, session: Some(mine), generation: None, detail }, now).await?;
    }
    Ok(())
}

async fn end(
    tx: &mut Tx,
    session: &StoredSession,
    event: AuditEvent,
    now: Timestamp,
) -> Result<(), ServerError> {
    if tx.end_session(&session.id, SessionEndReason::Logout, now).await? {
        let entry = AuditEntry { event, session: Some(session), generation: None, detail: None };
        tx.record(entry, now).await?;
    }
    Ok(())
}
