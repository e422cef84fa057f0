//! A request that carries a browser's cookie.

use crate::actions::bearer_session::is_news;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::sessions::StoredSession;
use crate::db::{Tx, retry};
use crate::rules::access::SessionStanding;
use crate::rules::browser_session::{BrowserSessionFacts, opens};
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::SessionKind;
use crate::time::Timestamp;
use crate::tokens::browser::BrowserSecret;

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    pub session: StoredSession,
    /// When the person proved who they are.
    pub proved_at: Timestamp,
}

/// Who is signed in with this cookie, and notes that they were seen; `None` if nobody is.
pub async fn open(
    app: &AppState,
    cookie: &BrowserSecret,
    caller: &NetworkCaller,
) -> Result<Option<BrowserSession>, ServerError> {
    retry(|| attempt(app, cookie, caller)).await
}

async fn attempt(
    app: &AppState,
    cookie: &BrowserSecret,
    caller: &NetworkCaller,
) -> Result<Option<BrowserSession>, ServerError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let Some(web) = tx.web_session(&cookie.hash()).await? else { return Ok(None) };
    let Some(session) = tx.session_for_update(&web.session_id).await? else { return Ok(None) };
    let facts = BrowserSessionFacts {
        standing: session.standing(),
        expires_at: web.expires_at,
        last_seen: last_seen(&session),
    };
    if session.grant != SessionKind::Web || !opens(facts, app.limits.web_idle, now) {
        return Ok(None);
    }
    if is_news(&session, caller, now) {
        tx.note_sight(&session.id, caller, now).await?;
    }
    tx.commit().await?;
    Ok(Some(BrowserSession { session, proved_at: web.proved_at }))
}

/// The session that a page has found, as it is now and locked until the commit: since then it may have ended, which is
/// `SignedOut`. Whatever lasts longer than a page is made after this look.
pub async fn still_open(tx: &mut Tx, found: &StoredSession) -> Result<StoredSession, ServerError> {
    let session = tx.session_for_update(&found.id).await?.ok_or(ServerError::SignedOut)?;
    match session.standing() {
        SessionStanding::Live => Ok(session),
        SessionStanding::Ended => Err(ServerError::SignedOut),
    }
}

/// When a session was last seen, its beginning included.
pub fn last_seen(session: &StoredSession) -> Timestamp {
    session.last_seen.as_ref().map_or(session.created_at, |(at, _)| *at)
}
