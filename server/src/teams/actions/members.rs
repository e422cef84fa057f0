//! Who is in a workspace, and as what.

use uuid::Uuid;

use crate::actions::bearer_session::{BearerSession, ToolRequest};
use crate::db::retry;
use crate::mail::MailNotice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::role::Role;
use crate::teams::actions::access::{allow, enter, signed_in_lately, tell};
use crate::teams::actions::error::TeamError;
use crate::teams::db::workspaces::{Member, Seat};
use crate::teams::rules::permission::{Permission, TargetMember, TeamAction, decide};

/// The members of a workspace, longest-standing first.
pub async fn list(request: ToolRequest<'_>, workspace: Uuid) -> Result<Vec<Member>, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let members = bearer.tx.members(&seat).await?;
        bearer.tx.commit().await?;
        Ok(members)
    })
    .await
}

/// Gives a member another role. Whoever may share no more loses their links.
pub async fn change(
    request: ToolRequest<'_>,
    workspace: Uuid,
    user: Uuid,
    to: Role,
) -> Result<(), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let (id, target) = target(&mut bearer, &seat, workspace, user).await?;
        allow(seat.role(), TeamAction::Change(target, to))?;
        if target.role == to {
            return Ok(bearer.tx.commit().await?);
        }
        if to > target.role {
            signed_in_lately(request, &bearer)?;
            let members = bearer.tx.members(&seat).await?;
            let member =
                members.into_iter().find(|member| member.user_id == id).ok_or(TeamError::NotFound)?;
            tell(request, &mut bearer, MailNotice::RoleRaised { email: member.email, role: to }).await?;
        }
        bearer.tx.set_role(&seat, &id, to).await?;
        if decide(to, TeamAction::Share) != Permission::Allowed {
            bearer.tx.revoke_shares_by(&seat, &id, bearer.now).await?;
        }
        bearer
            .record(AuditEvent::MemberChanged, &format!("{} {id} {}", seat.workspace(), to.as_str()))
            .await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}

/// Removes a member, or leaves. Their links are revoked; their reports stay.
pub async fn remove(request: ToolRequest<'_>, workspace: Uuid, user: Uuid) -> Result<(), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let (id, target) = target(&mut bearer, &seat, workspace, user).await?;
        allow(seat.role(), TeamAction::Remove(target))?;
        bearer.tx.delete_member(&seat, &id).await?;
        bearer.tx.revoke_shares_by(&seat, &id, bearer.now).await?;
        bearer.record(AuditEvent::MemberRemoved, &format!("{} {id}", seat.workspace())).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}

async fn target(
    bearer: &mut BearerSession,
    seat: &Seat,
    workspace: Uuid,
    user: Uuid,
) -> Result<(String, TargetMember), TeamError> {
    let id = user.to_string();
    let role = bearer.tx.seat(workspace, &id).await?.ok_or(TeamError::NotFound)?.role();
    let other_owners = bearer.tx.other_owners(seat, &id).await?;
    Ok((id.clone(), TargetMember { role, own: id == bearer.session.user.id, other_owners }))
}
