//! Who is in a workspace, and as what.

use uuid::Uuid;

use super::{Asking, allow};
use crate::actions::visit::Visit;
use crate::actions::{Refusal, again};
use crate::db::audit::Event;
use crate::db::workspaces::{Member, Seat};
use crate::rules::role::{Decision, Role, Target, Wish, decide};

/// The members of a workspace, longest-standing first.
pub async fn list(asking: Asking<'_>, workspace: Uuid) -> Result<Vec<Member>, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let members = visit.tx.members(&seat).await?;
        visit.tx.commit().await?;
        Ok(members)
    })
    .await
}

/// Gives a member another role. Whoever may share no more loses their links.
pub async fn change(asking: Asking<'_>, workspace: Uuid, user: Uuid, to: Role) -> Result<(), Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let (id, target) = target(&mut visit, &seat, workspace, user).await?;
        allow(seat.role(), Wish::Change(target, to))?;
        visit.tx.set_role(&seat, &id, to).await?;
        if decide(to, Wish::Share) != Decision::Allowed {
            visit.tx.revoke_shares_by(&seat, &id, visit.now).await?;
        }
        visit.record(Event::MemberChanged, &format!("{} {id} {}", seat.workspace(), to.word())).await?;
        Ok(visit.tx.commit().await?)
    })
    .await
}

/// Removes a member, or leaves. Their links are revoked; their reports stay.
pub async fn remove(asking: Asking<'_>, workspace: Uuid, user: Uuid) -> Result<(), Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let (id, target) = target(&mut visit, &seat, workspace, user).await?;
        allow(seat.role(), Wish::Remove(target))?;
        visit.tx.delete_member(&seat, &id).await?;
        visit.tx.revoke_shares_by(&seat, &id, visit.now).await?;
        visit.record(Event::MemberRemoved, &format!("{} {id}", seat.workspace())).await?;
        Ok(visit.tx.commit().await?)
    })
    .await
}

async fn target(
    visit: &mut Visit,
    seat: &Seat,
    workspace: Uuid,
    user: Uuid,
) -> Result<(String, Target), Refusal> {
    let id = user.to_string();
    let role = visit.tx.seat(workspace, &id).await?.ok_or(Refusal::NotFound)?.role();
    let other_owners = visit.tx.other_owners(seat, &id).await?;
    Ok((id.clone(), Target { role, own: id == visit.session.user.id, other_owners }))
}
