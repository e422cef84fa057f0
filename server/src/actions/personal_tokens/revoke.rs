//! Revokes a personal access token.

use crate::db::audit::Entry;
use crate::db::sessions::Session;
use crate::db::{DbError, Tx};
use crate::rules::audit_event::AuditEvent;
use crate::time::Moment;

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The token no longer counts, from now on or since earlier.
    Revoked,
    /// The user has no such token.
    Unknown,
}

/// Revokes the token with this id within `tx` if it is the session's user's.
pub async fn revoke(tx: &mut Tx, session: &Session, id: &str, now: Moment) -> Result<Revocation, DbError> {
    let Some(token) = tx.personal_token(&session.user.id, id).await? else {
        return Ok(Revocation::Unknown);
    };
    if tx.revoke_personal_token(&token.id, now).await? {
        let entry = Entry {
            event: AuditEvent::PersonalTokenRevoked,
            session: Some(session),
            generation: None,
            detail: Some(&token.prefix),
        };
        tx.record(entry, now).await?;
    }
    Ok(Revocation::Revoked)
}
