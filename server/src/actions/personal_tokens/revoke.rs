//! Revokes a personal access token.

use crate::db::audit::AuditEntry;
use crate::db::sessions::StoredSession;
use crate::db::{DbError, Tx};
use crate::rules::audit_event::AuditEvent;
use crate::time::Timestamp;

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRevocation {
    /// The token no longer counts, from now on or since earlier.
    Revoked,
    /// The user has no such token.
    Unknown,
}

/// Revokes the token with this id within `tx` if it is the session's user's.
pub async fn revoke(
    tx: &mut Tx,
    session: &StoredSession,
    id: &str,
    now: Timestamp,
) -> Result<TokenRevocation, DbError> {
    let Some(token) = tx.personal_token(&session.user.id, id).await? else {
        return Ok(TokenRevocation::Unknown);
    };
    if tx.revoke_personal_token(&token.id, now).await? {
        let entry = AuditEntry {
            event: AuditEvent::PersonalTokenRevoked,
            session: Some(session),
            generation: None,
            detail: Some(&token.prefix),
        };
        tx.record(entry, now).await?;
    }
    Ok(TokenRevocation::Revoked)
}
