//! Begins a session that has tokens.

use uuid::Uuid;

use crate::actions::letters;
use crate::actions::server_error::ServerError;
use crate::actions::sessions::tokens::{self, TokenPair};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::sessions::{NewSession, SessionEndReason, StoredSession};
use crate::db::tokens::NewToken;
use crate::db::users::StoredUser;
use crate::db::{DbError, Tx};
use crate::metrics::METRICS;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::session_kind::{ProofMethod, SessionKind};
use crate::time::Timestamp;
use crate::tokens::refresh::RefreshToken;

/// Whose session to begin, and what for.
#[derive(Clone, Copy, Debug)]
pub struct NewTokenSession<'a> {
    pub user: &'a StoredUser,
    pub grant: &'a SessionKind,
    /// How its holder proved who they are.
    pub how: ProofMethod,
    /// The session that let it in, if one did.
    pub approved_by: Option<&'a str>,
    pub caller: &'a NetworkCaller,
}

/// Begins a session within `tx`, and returns it with its first tokens, which must only leave the server once `tx`
/// is committed.
pub async fn begin(
    app: &AppState,
    tx: &mut Tx,
    begin: NewTokenSession<'_>,
    now: Timestamp,
) -> Result<(StoredSession, TokenPair), ServerError> {
    let session = bare(app, tx, begin, now).await?;
    let (refresh, expires_at) = first_refresh_token(app, tx, &session, now).await?;
    let tokens = tokens::pair(app, &session, 1, refresh, expires_at, now)?;
    Ok((session, tokens))
}

/// Begins a session that has no refresh token.
pub(crate) async fn bare(
    app: &AppState,
    tx: &mut Tx,
    begin: NewTokenSession<'_>,
    now: Timestamp,
) -> Result<StoredSession, ServerError> {
    let NewTokenSession { user, grant, how, approved_by, caller } = begin;
    make_room(app, tx, user, grant, now).await?;
    let id = Uuid::new_v4().to_string();
    tx.insert_session(&NewSession { id: &id, user, grant, how, approved_by, caller }, now).await?;
    let session = tx.session_for_update(&id).await?.ok_or(DbError::Corrupt("sessions.id"))?;
    let entry =
        AuditEntry { event: AuditEvent::Login, session: Some(&session), generation: None, detail: None };
    tx.record(entry, now).await?;
    letters::signed_in(app, tx, &session, caller, now).await?;
    Ok(session)
}

/// Makes room among the sessions of a user. An app takes the place of its own longest unused session; whoever has proved by
/// mail who they are takes that of any that was let in from a browser, because whoever has a copy of the browser's cookie
/// could else keep them out.
async fn make_room(
    app: &AppState,
    tx: &mut Tx,
    user: &StoredUser,
    grant: &SessionKind,
    now: Timestamp,
) -> Result<(), ServerError> {
    let since = now.minus(app.policy.refresh_ttl.max(app.limits.longest_access));
    if tx.count_token_sessions(&user.id, since).await? < app.limits.sessions_per_user {
        return Ok(());
    }
    let Some(unused) = tx.longest_unused(&user.id, grant, since).await? else {
        METRICS.ceiling_refused("sessions_per_user");
        return Err(ServerError::Full { what: "sessions of this account", limit: "sessions_per_user" });
    };
    let session = tx.session_for_update(&unused).await?.ok_or(DbError::Corrupt("sessions.id"))?;
    tx.end_session(&unused, SessionEndReason::Logout, now).await?;
    let (event, detail) = (AuditEvent::SessionEnded, Some("made room"));
    tx.record(AuditEntry { event, session: Some(&session), generation: None, detail }, now).await?;
    Ok(())
}

/// Gives a new session its first refresh token, and says when that lapses.
pub(crate) async fn first_refresh_token(
    app: &AppState,
    tx: &mut Tx,
    session: &StoredSession,
    now: Timestamp,
) -> Result<(RefreshToken, Timestamp), ServerError> {
    let (refresh, expires_at) = (RefreshToken::random()?, now.plus(app.policy.refresh_ttl));
    let token =
        NewToken { hash: refresh.hash(), session: &session.id, generation: 1, issued_at: now, expires_at };
    tx.insert_token(&token).await?;
    Ok((refresh, expires_at))
}
