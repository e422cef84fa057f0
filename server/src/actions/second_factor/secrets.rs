//! The secrets of second factors: sealed in the database, and the recovery codes made from them.

use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::second_factor::StoredFactor;
use crate::db::{DbError, Tx};
use crate::keys::seal;
use crate::rules::audit_event::AuditEvent;
use crate::time::Timestamp;
use crate::tokens::totp::{FactorSecrets, RECOVERY_CODES, RecoveryCode};

/// What secrets are sealed for: they open for nothing else.
pub(super) const PURPOSE: &str = "second factor";

/// Audits something about a user's second factor, within `tx`.
pub(super) async fn record(
    tx: &mut Tx,
    event: AuditEvent,
    user: &str,
    now: Timestamp,
) -> Result<(), ServerError> {
    let entry = AuditEntry { event, session: None, generation: None, detail: Some(user) };
    Ok(tx.record(entry, now).await?)
}

/// Makes fresh recovery codes within `tx`, in place of all earlier ones. They are shown once.
pub(super) async fn renew_codes(
    tx: &mut Tx,
    user: &str,
    secrets: &FactorSecrets,
) -> Result<Vec<RecoveryCode>, ServerError> {
    let codes = (0..RECOVERY_CODES).map(|_| RecoveryCode::random()).collect::<Result<Vec<_>, _>>()?;
    let hashes: Vec<_> = codes.iter().map(|code| secrets.hash(code)).collect();
    tx.put_recovery_codes(user, &hashes).await?;
    Ok(codes)
}

pub(super) fn unseal(
    app: &AppState,
    user: &str,
    factor: &StoredFactor,
) -> Result<FactorSecrets, ServerError> {
    let key = app.keys.find(&factor.key_id).ok_or_else(|| {
        ServerError::Unavailable(format!("the keys {} that seal a second factor are gone", factor.key_id))
    })?;
    let opened = seal::open(&key, PURPOSE, user, &factor.sealed);
    let secrets = opened.and_then(|bytes| FactorSecrets::from_bytes(&bytes));
    Ok(secrets.ok_or(DbError::Corrupt("second_factors.sealed"))?)
}

/// The id of the current key, and the secrets sealed under it.
pub(super) fn seal_now(
    app: &AppState,
    user: &str,
    secrets: &FactorSecrets,
) -> Result<(String, Vec<u8>), ServerError> {
    let key = app.keys.current();
    Ok((key.id.clone(), seal::seal(&key, PURPOSE, user, &secrets.to_bytes())?))
}
