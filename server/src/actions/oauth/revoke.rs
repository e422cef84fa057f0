//! Ends a session by one of its tokens (RFC 7009). A client can only end its own.

use crate::actions::sessions::error::GrantError;
use crate::actions::sessions::logout::logout;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::clients::OAuthClient;
use crate::db::retry;
use crate::db::sessions::SessionEndReason;
use crate::rules::audit_event::AuditEvent;
use crate::rules::session_kind::TokenHolder;
use crate::secret::SecretText;
use crate::tokens::refresh::RefreshToken;

/// Ends the session that the access or refresh token belongs to, even if the token itself works no more. A token of
/// another client, like one that is not known, changes nothing, and the client is not told which it is.
pub async fn revoke(app: &AppState, token: &SecretText, client: &OAuthClient) -> Result<(), GrantError> {
    let holder = TokenHolder::Client(client.id.clone());
    match app.access.read(&app.keys, token) {
        Ok(claims) => retry(|| end(app, &claims.sid, &holder)).await,
        Err(_) => match logout(app, &RefreshToken::received(token.clone()), &holder).await {
            Ok(()) | Err(GrantError::InvalidGrant) => Ok(()),
            Err(other) => Err(other),
        },
    }
}

async fn end(app: &AppState, session: &str, holder: &TokenHolder) -> Result<(), GrantError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let session = tx.session_for_update(session).await?;
    let Some(session) = session.filter(|session| session.grant.is_of(holder)) else { return Ok(()) };
    if tx.end_session(&session.id, SessionEndReason::Logout, now).await? {
        let entry =
            AuditEntry { event: AuditEvent::Logout, session: Some(&session), generation: None, detail: None };
        tx.record(entry, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
