//! Who may sign up: asked at each sign-in, changed by the operator or a platform admin.

use crate::actions::browser::session::still_open;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::sessions::StoredSession;
use crate::db::users::Platform;
use crate::db::{Database, DbError, Tx, retry};
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::rules::sign_up::{self, SignUpEntry, SignUpMode};
use crate::time::Timestamp;

/// Whether an address may sign in, or up if it has no account. It takes the same steps for each.
pub async fn admits(app: &AppState, tx: &mut Tx, email: &Email, now: Timestamp) -> Result<bool, DbError> {
    let mode = tx.sign_up_mode().await?.unwrap_or(app.sign_up);
    Ok(sign_up::admits(mode, tx.sign_up_facts(email, now).await?))
}

/// The same by itself.
pub async fn admits_now(app: &AppState, email: &Email) -> Result<bool, DbError> {
    retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        admits(app, &mut tx, email, app.now()).await
    })
    .await
}

/// What somebody has decided.
#[derive(Clone, Debug)]
pub struct SignUpSettings {
    /// `None` if nobody has.
    pub mode: Option<SignUpMode>,
    pub list: Vec<SignUpEntry>,
}

#[derive(Clone, Debug)]
pub enum SignUpChange {
    Mode(SignUpMode),
    Allow(Vec<SignUpEntry>),
    Forbid(Vec<SignUpEntry>),
}

pub async fn settings(store: &Database) -> Result<SignUpSettings, DbError> {
    let mut tx = store.begin_reading().await?;
    Ok(SignUpSettings { mode: tx.sign_up_mode().await?, list: tx.sign_up_list().await? })
}

/// Changes it for the platform admin of `session`, or for the operator. Returns how many entries of the list came or went.
/// The audit names no address.
pub async fn change(
    store: &Database,
    change: &SignUpChange,
    session: Option<&StoredSession>,
    now: Timestamp,
) -> Result<u64, ServerError> {
    let mut tx = store.begin().await?;
    if let Some(session) = session
        && !may_change(&still_open(&mut tx, session).await?)
    {
        return Err(ServerError::SignedOut);
    }
    let mut changed = 0;
    let detail = match change {
        SignUpChange::Mode(mode) => {
            tx.set_sign_up_mode(*mode).await?;
            format!("sign-up {}", mode.as_str())
        }
        SignUpChange::Allow(entries) => {
            for entry in entries {
                changed += u64::from(tx.list_for_sign_up(entry, now).await?);
            }
            format!("sign-up allowed to {changed} more")
        }
        SignUpChange::Forbid(entries) => {
            for entry in entries {
                changed += u64::from(tx.unlist_for_sign_up(entry).await?);
            }
            format!("sign-up allowed to {changed} fewer")
        }
    };
    let event = if session.is_some() { AuditEvent::SignUpChanged } else { AuditEvent::OperatorChanged };
    tx.record(AuditEntry { event, session, generation: None, detail: Some(&detail) }, now).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Whether the user of a session may change it.
pub fn may_change(session: &StoredSession) -> bool {
    match session.user.platform {
        Platform::Admin => true,
        Platform::None => false,
    }
}
