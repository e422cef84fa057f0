//! Begins a browser's session. It has a cookie and no tokens.

use uuid::Uuid;

use crate::actions::browser::end;
use crate::actions::server_error::ServerError;
use crate::app::App;
use crate::db::audit::Entry;
use crate::db::sessions::NewSession;
use crate::db::users::User;
use crate::db::web_sessions::WebSession;
use crate::db::{DbError, Tx};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::Caller;
use crate::rules::grant::{Grant, How};
use crate::time::Moment;
use crate::tokens::browser::BrowserSecret;

/// Whose browser to sign in.
#[derive(Clone, Copy, Debug)]
pub struct NewBrowserSession<'a> {
    /// Whose it is.
    pub user: &'a User,
    /// Who asked for it.
    pub caller: &'a Caller,
    /// When the person proved who they are.
    pub proved_at: Moment,
    /// The cookie of the session that this browser has had, which ends now.
    pub replaces: Option<&'a BrowserSecret>,
}

/// Begins a session within `tx`, and returns its cookie, always a new one, which must only leave the server once
/// `tx` is committed.
pub async fn begin(
    app: &App,
    tx: &mut Tx,
    begin: NewBrowserSession<'_>,
    now: Moment,
) -> Result<BrowserSecret, ServerError> {
    let NewBrowserSession { user, caller, proved_at, replaces } = begin;
    if let Some(old) = replaces {
        end::of_cookie(tx, old, now).await?;
    }
    let (id, cookie) = (Uuid::new_v4().to_string(), BrowserSecret::random()?);
    tx.insert_session(&NewSession { id: &id, user, grant: &Grant::Web, how: How::Otp, caller }, now).await?;
    let expires_at = now.plus(app.limits.web_longest);
    let web = WebSession { session_id: id, proved_at, expires_at };
    tx.insert_web_session(&cookie.hash(), &web).await?;
    let session = tx.session_for_update(&web.session_id).await?.ok_or(DbError::Corrupt("sessions.id"))?;
    let entry =
        Entry { event: AuditEvent::Login, session: Some(&session), generation: None, detail: Some("web") };
    tx.record(entry, now).await?;
    Ok(cookie)
}
