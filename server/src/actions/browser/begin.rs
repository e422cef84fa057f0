//! Begins a browser's session. It has a cookie and no tokens.

use uuid::Uuid;

use crate::actions::browser::end;
use crate::actions::letters;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::browser_sessions::StoredBrowserSession;
use crate::db::sessions::{NewSession, SessionEndReason};
use crate::db::users::StoredUser;
use crate::db::{DbError, Tx};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::{ProofMethod, SessionKind};
use crate::time::Timestamp;
use crate::tokens::browser::BrowserSecret;

#[derive(Clone, Copy, Debug)]
pub struct NewBrowserSession<'a> {
    pub user: &'a StoredUser,
    pub caller: &'a NetworkCaller,
    /// When the person proved who they are.
    pub proved_at: Timestamp,
    /// The cookie of the session that this browser has had, which ends now.
    pub replaces: Option<&'a BrowserSecret>,
}

/// Begins a session within `tx`, and returns its cookie, always a new one, which must only leave the server once
/// `tx` is committed.
pub async fn begin(
    app: &AppState,
    tx: &mut Tx,
    begin: NewBrowserSession<'_>,
    now: Timestamp,
) -> Result<BrowserSecret, ServerError> {
    let NewBrowserSession { user, caller, proved_at, replaces } = begin;
    if let Some(old) = replaces {
        end::of_cookie(tx, old, now).await?;
    }
    // Signing in must stay possible, if only to end other sessions: the oldest makes room.
    for old in tx.web_sessions_beyond(&user.id, app.limits.sessions_per_user, now).await? {
        tx.end_session(&old, SessionEndReason::Logout, now).await?;
    }
    let (id, cookie) = (Uuid::new_v4().to_string(), BrowserSecret::random()?);
    let (grant, how) = (&SessionKind::Web, ProofMethod::Otp);
    tx.insert_session(&NewSession { id: &id, user, grant, how, approved_by: None, caller }, now).await?;
    let expires_at = now.plus(app.limits.web_longest);
    let web = StoredBrowserSession { session_id: id, proved_at, expires_at };
    tx.insert_web_session(&cookie.hash(), &web).await?;
    let session = tx.session_for_update(&web.session_id).await?.ok_or(DbError::Corrupt("sessions.id"))?;
    let entry = AuditEntry {
        event: AuditEvent::Login,
        session: Some(&session),
        generation: None,
        detail: Some("web"),
    };
    tx.record(entry, now).await?;
    letters::signed_in(app, tx, &session, caller, now).await?;
    Ok(cookie)
}
