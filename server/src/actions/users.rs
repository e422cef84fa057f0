//! What a platform admin may do: look after accounts. The role opens no workspace, and no workspace role opens this.

use uuid::Uuid;

use super::visit::Visit;
use super::workspaces::Asking;
use super::{Refusal, again};
use crate::db::audit::Event;
use crate::db::sessions::Ended;
use crate::db::users::{Platform, Status, User};

/// Up to `most` users whose ids come after `after`, by id.
pub async fn list(asking: Asking<'_>, after: Option<Uuid>, most: u32) -> Result<Vec<User>, Refusal> {
    let after = &after.map(|id| id.to_string()).unwrap_or_default();
    again(|| async {
        let mut visit = admin(asking).await?;
        let users = visit.tx.users_after(after, most).await?;
        visit.tx.commit().await?;
        Ok(users)
    })
    .await
}

/// Disables or enables an account. Disabled, none of its sessions opens anything from the next request on.
pub async fn set_status(asking: Asking<'_>, user: Uuid, status: Status) -> Result<User, Refusal> {
    let id = &user.to_string();
    again(|| async {
        let mut visit = admin(asking).await?;
        if visit.session.user.id == *id {
            return Err(Refusal::Conflict {
                code: "own_account",
                why: "You can't disable or enable your own account. Another platform admin can.",
            });
        }
        let user = visit.tx.user(id).await?.ok_or(Refusal::NotFound)?;
        if user.status != status {
            visit.tx.set_status(id, status).await?;
            let event = match status {
                Status::Active => Event::UserEnabled,
                // Its sessions don't come back with it.
                Status::Disabled => {
                    visit.tx.end_sessions_of(id, Ended::Logout, visit.now).await?;
                    Event::UserDisabled
                }
            };
            visit.record(event, id).await?;
        }
        visit.tx.commit().await?;
        Ok(User { status, ..user })
    })
    .await
}

async fn admin(asking: Asking<'_>) -> Result<Visit, Refusal> {
    let visit = asking.visit().await?;
    match visit.session.user.platform {
        Platform::Admin => Ok(visit),
        Platform::None => Err(Refusal::Forbidden("This needs the platform role admin.")),
    }
}
