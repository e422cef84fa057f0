//! Workspaces: made, listed, renamed, deleted.

use uuid::Uuid;

use crate::actions::bearer_session::ToolRequest;
use crate::db::retry;
use crate::rules::audit_event::AuditEvent;
use crate::rules::text::line;
use crate::teams::actions::access::{allow, count_creation, enter, sweep_soon};
use crate::teams::actions::error::TeamError;
use crate::teams::db::workspaces::Workspace;
use crate::teams::rules::permission::TeamAction;

/// The longest name of a workspace, in characters.
const LONGEST_NAME: usize = 80;

/// Makes a workspace, whose owner the asker becomes.
pub async fn create(request: ToolRequest<'_>, name: &str) -> Result<Workspace, TeamError> {
    let name = &line("name", name, LONGEST_NAME)?;
    retry(|| async {
        let mut bearer = request.open().await?;
        count_creation(request, &mut bearer).await?;
        let workspace = bearer.tx.insert_workspace(name, &bearer.session.user, bearer.now).await?;
        bearer.record(AuditEvent::WorkspaceMade, &workspace.id).await?;
        bearer.tx.commit().await?;
        Ok(workspace)
    })
    .await
}

/// The asker's workspaces, oldest first.
pub async fn list(request: ToolRequest<'_>) -> Result<Vec<Workspace>, TeamError> {
    retry(|| async {
        let mut bearer = request.open().await?;
        let workspaces = bearer.tx.workspaces_of(&bearer.session.user.id).await?;
        bearer.tx.commit().await?;
        Ok(workspaces)
    })
    .await
}

/// One of the asker's workspaces.
pub async fn read(request: ToolRequest<'_>, workspace: Uuid) -> Result<Workspace, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let workspace = bearer.tx.workspace(&seat).await?;
        bearer.tx.commit().await?;
        Ok(workspace)
    })
    .await
}

pub async fn rename(request: ToolRequest<'_>, workspace: Uuid, name: &str) -> Result<Workspace, TeamError> {
    let name = &line("name", name, LONGEST_NAME)?;
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        allow(seat.role(), TeamAction::Rename)?;
        bearer.tx.rename_workspace(&seat, name).await?;
        let workspace = bearer.tx.workspace(&seat).await?;
        bearer.tx.commit().await?;
        Ok(workspace)
    })
    .await
}

/// Deletes a workspace with everything in it.
pub async fn delete(request: ToolRequest<'_>, workspace: Uuid) -> Result<(), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        allow(seat.role(), TeamAction::Erase)?;
        bearer.tx.delete_workspace(&seat).await?;
        bearer.record(AuditEvent::WorkspaceDeleted, seat.workspace()).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
    .inspect(|()| sweep_soon(request))
}
