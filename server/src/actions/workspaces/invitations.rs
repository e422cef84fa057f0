//! Joining a workspace: an address is invited, and whoever proves to own it decides. Whether the address has an
//! account is neither looked at nor told, and nobody becomes a member without having said yes.

use std::time::Duration;

use uuid::Uuid;

use super::{Asking, allow};
use crate::actions::{Refusal, again};
use crate::db::audit::Event;
use crate::db::invitations::Invitation;
use crate::db::workspaces::Workspace;
use crate::rules::email::Email;
use crate::rules::role::{Decision, Role, Wish, decide};

/// How long an invitation waits for its answer.
const WAITS: Duration = Duration::from_secs(14 * 86_400);

/// Invites an address, in place of an earlier invitation of it.
pub async fn invite(
    asking: Asking<'_>,
    workspace: Uuid,
    email: &Email,
    role: Role,
) -> Result<Invitation, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        allow(seat.role(), Wish::Invite(role))?;
        if visit.tx.members(&seat).await?.iter().any(|member| member.email == email.as_str()) {
            return Err(Refusal::Conflict {
                code: "already_member",
                why: "That address belongs to a member already. Change their role instead.",
            });
        }
        let waiting = visit.tx.invitations_into(&seat, visit.now).await?;
        if let Some(earlier) = waiting.iter().find(|earlier| earlier.email == email.as_str()) {
            allow(seat.role(), Wish::Invite(earlier.role))?;
        }
        asking.count_creation(&mut visit).await?;
        let (maker, lapse) = (&visit.session.user, visit.now.plus(WAITS));
        let id = visit.tx.put_invitation(&seat, email, role, &maker.id, lapse).await?;
        let invitation = Invitation {
            id,
            workspace_id: seat.workspace().to_owned(),
            workspace_name: visit.tx.workspace(&seat).await?.name,
            email: email.as_str().to_owned(),
            role,
            maker_email: maker.email.clone(),
            maker_role: Some(seat.role()),
            expires_at: lapse,
        };
        visit.record(Event::MemberInvited, &format!("{} {}", seat.workspace(), role.word())).await?;
        visit.tx.commit().await?;
        Ok(invitation)
    })
    .await
}

/// The invitations into a workspace that wait for an answer.
pub async fn waiting(asking: Asking<'_>, workspace: Uuid) -> Result<Vec<Invitation>, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let waiting = visit.tx.invitations_into(&seat, visit.now).await?;
        visit.tx.commit().await?;
        Ok(waiting)
    })
    .await
}

/// Withdraws an invitation.
pub async fn withdraw(asking: Asking<'_>, workspace: Uuid, invitation: Uuid) -> Result<(), Refusal> {
    let id = &invitation.to_string();
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let waiting = visit.tx.invitations_into(&seat, visit.now).await?;
        let found = waiting.iter().find(|waiting| waiting.id == *id).ok_or(Refusal::NotFound)?;
        allow(seat.role(), Wish::Invite(found.role))?;
        visit.tx.delete_invitation(id).await?;
        Ok(visit.tx.commit().await?)
    })
    .await
}

/// The asker's own invitations that can be accepted.
pub async fn mine(asking: Asking<'_>) -> Result<Vec<Invitation>, Refusal> {
    again(|| async {
        let mut visit = asking.visit().await?;
        let mut mine = visit.tx.invitations_of(&visit.session.user.email, visit.now).await?;
        mine.retain(stands);
        visit.tx.commit().await?;
        Ok(mine)
    })
    .await
}

/// Accepts an invitation. A member stays what they are.
pub async fn accept(asking: Asking<'_>, invitation: Uuid) -> Result<Workspace, Refusal> {
    let id = &invitation.to_string();
    again(|| async {
        let mut visit = asking.visit().await?;
        let (user, now) = (visit.session.user.clone(), visit.now);
        let mine = visit.tx.invitations_of(&user.email, now).await?;
        let found = mine.iter().find(|mine| mine.id == *id && stands(mine)).ok_or(Refusal::NotFound)?;
        visit.tx.delete_invitation(id).await?;
        if visit.tx.insert_member(&found.workspace_id, &user.id, found.role, now).await? {
            let detail = format!("{} {}", found.workspace_id, found.role.word());
            visit.record(Event::MemberJoined, &detail).await?;
        }
        let workspace = Uuid::parse_str(&found.workspace_id).map_err(|_| Refusal::NotFound)?;
        let seat = visit.tx.seat(workspace, &user.id).await?.ok_or(Refusal::NotFound)?;
        let joined = visit.tx.workspace(&seat).await?;
        visit.tx.commit().await?;
        Ok(joined)
    })
    .await
}

/// Declines an invitation.
pub async fn decline(asking: Asking<'_>, invitation: Uuid) -> Result<(), Refusal> {
    let id = &invitation.to_string();
    again(|| async {
        let mut visit = asking.visit().await?;
        let mine = visit.tx.invitations_of(&visit.session.user.email, visit.now).await?;
        if !mine.iter().any(|mine| mine.id == *id) {
            return Err(Refusal::NotFound);
        }
        visit.tx.delete_invitation(id).await?;
        Ok(visit.tx.commit().await?)
    })
    .await
}

/// An invitation rests on its maker: one who could not invite any more has not invited.
fn stands(invitation: &Invitation) -> bool {
    invitation.maker_role.is_some_and(|role| decide(role, Wish::Invite(invitation.role)) == Decision::Allowed)
}
