//! Whoever asks must have a seat before anything of a workspace is read; without one, a workspace that is there and one
//! that is not are the same refusal.

use uuid::Uuid;

use crate::actions::bearer_session::{BearerSession, ToolRequest};
use crate::actions::letters;
use crate::actions::limit::{LimitError, admit};
use crate::db::DbError;
use crate::db::throttle::ThrottleKind;
use crate::mail::MailNotice;
use crate::rules::role::Role;
use crate::rules::second_factor::recent;
use crate::teams::actions::error::TeamError;
use crate::teams::db::workspaces::Seat;
use crate::teams::rules::permission::{Permission, TeamAction, decide};

/// Checks the access token, and that its user has a seat in the workspace.
pub(super) async fn enter(
    request: ToolRequest<'_>,
    workspace: Uuid,
) -> Result<(BearerSession, Seat), TeamError> {
    let mut bearer = request.open().await?;
    let seat = bearer.tx.seat(workspace, &bearer.session.user.id).await?.ok_or(TeamError::NotFound)?;
    Ok((bearer, seat))
}

/// Errs unless the bearer has signed in lately: what outlives a session takes more than its access token.
pub(super) fn signed_in_lately(request: ToolRequest<'_>, bearer: &BearerSession) -> Result<(), TeamError> {
    let fresh = request.app.limits.fresh_sign_in;
    if recent(bearer.session.created_at, fresh, bearer.now) { Ok(()) } else { Err(TeamError::Stale) }
}

/// Writes the bearer a letter about what was done in their name and lasts.
pub(super) async fn tell(
    request: ToolRequest<'_>,
    bearer: &mut BearerSession,
    notice: MailNotice,
) -> Result<(), DbError> {
    let (user, now) = (bearer.session.user.clone(), bearer.now);
    letters::write(request.app, &mut bearer.tx, &user, notice, request.caller, now).await
}

/// Counts that the bearer makes something, unless they have made too much of late.
pub(super) async fn count_creation(
    request: ToolRequest<'_>,
    bearer: &mut BearerSession,
) -> Result<(), LimitError> {
    let (limit, user) = (request.app.limits.creations_per_user, &bearer.session.user.id);
    admit(&mut bearer.tx, ThrottleKind::Creation, user, limit, bearer.now).await
}

/// Has what was deleted from the database deleted from the store of files, too.
pub(super) fn sweep_soon(request: ToolRequest<'_>) {
    if let Some(artifacts) = &request.app.artifacts {
        artifacts.sweep.notify_one();
    }
}

/// Errs unless the role allows the action.
pub(super) fn allow(role: Role, action: TeamAction) -> Result<(), TeamError> {
    match decide(role, action) {
        Permission::Allowed => Ok(()),
        Permission::Forbidden => Err(TeamError::Forbidden),
        Permission::LastOwner => Err(TeamError::LastOwner),
    }
}
