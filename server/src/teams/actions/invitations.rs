//! Joining a workspace: an address is invited, and whoever proves to own it decides. Whether the address has an
//! account is neither looked at nor told, and nobody becomes a member without having said yes.

use std::time::Duration;

use uuid::Uuid;

use crate::actions::bearer_session::ToolRequest;
use crate::db::retry;
use crate::mail::MailNotice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::rules::role::Role;
use crate::teams::actions::access::{allow, count_creation, enter, signed_in_lately, tell};
use crate::teams::actions::error::TeamError;
use crate::teams::db::invitations::Invitation;
use crate::teams::db::workspaces::Workspace;
use crate::teams::rules::permission::TeamAction;

/// How long an invitation waits for its answer.
const WAITS: Duration = Duration::from_secs(14 * 86_400);

/// Invites an address, in place of an earlier invitation of it.
pub async fn invite(
    request: ToolRequest<'_>,
    workspace: Uuid,
    email: &Email,
    role: Role,
) -> Result<Invitation, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        allow(seat.role(), TeamAction::Invite(role))?;
        signed_in_lately(request, &bearer)?;
        if bearer.tx.members(&seat).await?.iter().any(|member| member.email == email.as_str()) {
            return Err(TeamError::AlreadyMember);
        }
        let waiting = bearer.tx.invitations_into(&seat, bearer.now).await?;
        if let Some(earlier) = waiting.iter().find(|earlier| earlier.email == email.as_str()) {
            allow(seat.role(), TeamAction::Invite(earlier.role))?;
        }
        count_creation(request, &mut bearer).await?;
        let (maker, lapse) = (&bearer.session.user, bearer.now.plus(WAITS));
        let id = bearer.tx.put_invitation(&seat, email, role, (&maker.id, &bearer.session.id), lapse).await?;
        let invitation = Invitation {
            id,
            workspace_id: seat.workspace().to_owned(),
            workspace_name: bearer.tx.workspace(&seat).await?.name,
            email: email.as_str().to_owned(),
            role,
            maker_email: maker.email.clone(),
            maker_role: Some(seat.role()),
            expires_at: lapse,
        };
        bearer.record(AuditEvent::MemberInvited, &format!("{} {}", seat.workspace(), role.as_str())).await?;
        let notice = MailNotice::Invited { email: invitation.email.clone(), role };
        tell(request, &mut bearer, notice).await?;
        bearer.tx.commit().await?;
        Ok(invitation)
    })
    .await
}

/// The invitations into a workspace that wait for an answer.
pub async fn waiting(request: ToolRequest<'_>, workspace: Uuid) -> Result<Vec<Invitation>, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let waiting = bearer.tx.invitations_into(&seat, bearer.now).await?;
        bearer.tx.commit().await?;
        Ok(waiting)
    })
    .await
}

pub async fn withdraw(request: ToolRequest<'_>, workspace: Uuid, invitation: Uuid) -> Result<(), TeamError> {
    let id = &invitation.to_string();
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let waiting = bearer.tx.invitations_into(&seat, bearer.now).await?;
        let found = waiting.iter().find(|waiting| waiting.id == *id).ok_or(TeamError::NotFound)?;
        allow(seat.role(), TeamAction::Invite(found.role))?;
        bearer.tx.delete_invitation(id).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}

/// The asker's own invitations that can be accepted.
pub async fn mine(request: ToolRequest<'_>) -> Result<Vec<Invitation>, TeamError> {
    retry(|| async {
        let mut bearer = request.open().await?;
        let mut mine = bearer.tx.invitations_of(&bearer.session.user.email, bearer.now).await?;
        mine.retain(stands);
        bearer.tx.commit().await?;
        Ok(mine)
    })
    .await
}

/// Accepts an invitation. A member stays what they are.
pub async fn accept(request: ToolRequest<'_>, invitation: Uuid) -> Result<Workspace, TeamError> {
    let id = &invitation.to_string();
    retry(|| async {
        let mut bearer = request.open().await?;
        let (user, now) = (bearer.session.user.clone(), bearer.now);
        let mine = bearer.tx.invitations_of(&user.email, now).await?;
        let found = mine.iter().find(|mine| mine.id == *id && stands(mine)).ok_or(TeamError::NotFound)?;
        bearer.tx.delete_invitation(id).await?;
        if bearer.tx.insert_member(&found.workspace_id, &user.id, found.role, now).await? {
            let detail = format!("{} {}", found.workspace_id, found.role.as_str());
            bearer.record(AuditEvent::MemberJoined, &detail).await?;
        }
        let workspace = Uuid::parse_str(&found.workspace_id).map_err(|_| TeamError::NotFound)?;
        let seat = bearer.tx.seat(workspace, &user.id).await?.ok_or(TeamError::NotFound)?;
        let joined = bearer.tx.workspace(&seat).await?;
        bearer.tx.commit().await?;
        Ok(joined)
    })
    .await
}

pub async fn decline(request: ToolRequest<'_>, invitation: Uuid) -> Result<(), TeamError> {
    let id = &invitation.to_string();
    retry(|| async {
        let mut bearer = request.open().await?;
        let mine = bearer.tx.invitations_of(&bearer.session.user.email, bearer.now).await?;
        if !mine.iter().any(|mine| mine.id == *id) {
            return Err(TeamError::NotFound);
        }
        bearer.tx.delete_invitation(id).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}

/// An invitation rests on its maker: one who could not invite any more has not invited.
fn stands(invitation: &Invitation) -> bool {
    invitation.maker_role.is_some_and(|maker| maker.may_invite(invitation.role))
}
