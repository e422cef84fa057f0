//! What a platform admin may do: look after accounts. The role opens no workspace, and no workspace role opens this.

use uuid::Uuid;

use crate::actions::accounts::error::AccountError;
use crate::actions::bearer_session::{BearerSession, ToolRequest};
use crate::db::retry;
use crate::db::sessions::SessionEndReason;
use crate::db::users::{AccountStatus, Platform, StoredUser};
use crate::rules::audit_event::AuditEvent;

/// Up to `most` users whose ids come after `after`, by id.
pub async fn list(
    request: ToolRequest<'_>,
    after: Option<Uuid>,
    most: u32,
) -> Result<Vec<StoredUser>, AccountError> {
    let after = &after.map(|id| id.to_string()).unwrap_or_default();
    retry(|| async {
        let mut bearer = admin(request).await?;
        let users = bearer.tx.users_after(after, most).await?;
        bearer.tx.commit().await?;
        Ok(users)
    })
    .await
}

/// Disables or enables an account. Disabled, none of its sessions opens anything from the next request on.
pub async fn set_status(
    request: ToolRequest<'_>,
    user: Uuid,
    status: AccountStatus,
) -> Result<StoredUser, AccountError> {
    let id = &user.to_string();
    retry(|| async {
        let mut bearer = admin(request).await?;
        if bearer.session.user.id == *id {
            return Err(AccountError::OwnAccount);
        }
        let user = bearer.tx.user(id).await?.ok_or(AccountError::NotFound)?;
        if user.status != status {
            bearer.tx.set_status(id, status).await?;
            let event = match status {
                AccountStatus::Active => AuditEvent::UserEnabled,
                // Its sessions don't come back with it.
                AccountStatus::Disabled => {
                    bearer.tx.end_sessions_of(id, SessionEndReason::Logout, bearer.now).await?;
                    AuditEvent::UserDisabled
                }
            };
            bearer.record(event, id).await?;
        }
        bearer.tx.commit().await?;
        Ok(StoredUser { status, ..user })
    })
    .await
}

async fn admin(request: ToolRequest<'_>) -> Result<BearerSession, AccountError> {
    let bearer = request.open().await?;
    match bearer.session.user.platform {
        Platform::Admin => Ok(bearer),
        Platform::None => Err(AccountError::NotAdmin),
    }
}
