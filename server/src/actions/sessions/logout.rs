//! Ends a session. Its refresh token is proof enough, even a spent one, and using it so is no replay.

use crate::actions::sessions::error::GrantError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::retry;
use crate::db::sessions::SessionEndReason;
use crate::rules::audit_event::AuditEvent;
use crate::rules::session_kind::TokenHolder;
use crate::tokens::refresh::RefreshToken;

/// Ends the session that the token belongs to. One that has ended already stays ended and is no error;
/// a token that is not known, or that was given to another holder, is `InvalidGrant`.
pub async fn logout(app: &AppState, token: &RefreshToken, holder: &TokenHolder) -> Result<(), GrantError> {
    retry(|| attempt(app, token, holder)).await
}

async fn attempt(app: &AppState, token: &RefreshToken, holder: &TokenHolder) -> Result<(), GrantError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let token = tx.token_for_update(&token.hash()).await?.ok_or(GrantError::InvalidGrant)?;
    let session = tx.session_for_update(&token.session_id).await?;
    let session = session.filter(|session| session.grant.is_of(holder)).ok_or(GrantError::InvalidGrant)?;
    if tx.end_session(&session.id, SessionEndReason::Logout, now).await? {
        let entry =
            AuditEntry { event: AuditEvent::Logout, session: Some(&session), generation: None, detail: None };
        tx.record(entry, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
