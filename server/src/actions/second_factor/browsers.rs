//! Browsers that are spared the second factor for 30 days. The cookie never stands in for the email code, and its
//! secret is a new one after each use.

use uuid::Uuid;

use crate::actions::alarm::{self, AlarmReach};
use crate::actions::browser::session::still_open;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::second_factor::RememberedBrowser;
use crate::db::sessions::StoredSession;
use crate::db::{DbError, Tx, retry};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::second_factor::REMEMBERED;
use crate::time::Timestamp;
use crate::tokens::browser::BrowserSecret;

/// Remembers a browser within `tx`, and returns its cookie.
pub async fn remember(
    tx: &mut Tx,
    user: &str,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<BrowserSecret, ServerError> {
    let cookie = BrowserSecret::random()?;
    let new = RememberedBrowser {
        id: Uuid::new_v4().to_string(),
        user_id: user.to_owned(),
        program: caller.program.clone(),
        created_at: now,
        last_used_at: now,
        expires_at: now.plus(REMEMBERED),
    };
    tx.insert_remembered(&cookie.hash(), &new).await?;
    Ok(cookie)
}

/// Uses a cookie within `tx`: its successor if the user's browser is remembered by it, else `None`, which is audited. One that
/// was used up before is in two hands: the browser is remembered no more, and the alarm is raised for the sessions that it has
/// begun since.
pub async fn recall(
    app: &AppState,
    tx: &mut Tx,
    user: &str,
    cookie: Option<&BrowserSecret>,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<Option<BrowserSecret>, ServerError> {
    let Some(cookie) = cookie else { return Ok(None) };
    let next = BrowserSecret::random()?;
    if tx.rotate_remembered(user, &cookie.hash(), &next.hash(), now).await? {
        return Ok(Some(next));
    }
    let Some(spent) = tx.spent_browser(user, &cookie.hash()).await? else {
        note(tx, AuditEvent::RememberedRefused, None, user, now).await?;
        return Ok(None);
    };
    let began = tx.begun_by_browser(&spent.browser, spent.at).await?;
    let session = match began.first() {
        Some(newest) => tx.session_for_update(newest).await?,
        None => None,
    };
    if let Some(session) = &session {
        alarm::raise(app, tx, session, AlarmReach::Browser(&spent), caller, now).await?;
    }
    tx.delete_remembered(user, &spent.browser).await?;
    note(tx, AuditEvent::RememberedReplayed, session.as_ref(), user, now).await?;
    tracing::warn!(user, "a remembered browser's cookie was used twice");
    Ok(None)
}

async fn note(
    tx: &mut Tx,
    event: AuditEvent,
    session: Option<&StoredSession>,
    user: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.record(AuditEntry { event, session, generation: None, detail: Some(user) }, now).await
}

/// Forgets one of the user's remembered browsers. `false` if they have none with this id.
pub async fn forget(app: &AppState, session: &StoredSession, id: Uuid) -> Result<bool, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        still_open(&mut tx, session).await?;
        let forgotten = tx.forget_remembered(&session.user.id, &id.to_string(), app.now()).await?;
        tx.commit().await?;
        Ok(forgotten)
    })
    .await
}
