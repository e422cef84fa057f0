//! Workspaces. Whoever asks must have a seat before anything of a workspace is read; without one, a workspace that
//! is there and one that is not are the same refusal.

pub mod invitations;
pub mod members;
pub mod reports;
pub mod shares;

use uuid::Uuid;

use super::limited::admit;
use super::visit::{Visit, first_party, visit};
use super::{Refusal, again};
use crate::app::App;
use crate::db::audit::{Entry, Event};
use crate::db::throttle::Kind;
use crate::db::workspaces::{Seat, Workspace};
use crate::rules::caller::Caller;
use crate::rules::role::{Decision, Role, Wish, decide};
use crate::rules::wording::{Unfit, line};
use crate::secret::SecretText;

/// The longest name of a workspace, in characters.
const LONGEST_NAME: usize = 80;

/// Who asks: a user's own tool with its access token.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The server.
    pub app: &'a App,
    /// The access token, not yet checked.
    pub token: &'a SecretText,
    /// The network side.
    pub caller: &'a Caller,
}

impl Asking<'_> {
    /// Checks the access token.
    pub(super) async fn visit(&self) -> Result<Visit, Refusal> {
        visit(self.app, self.token, self.caller, first_party).await
    }

    /// Checks the access token, and that its user has a seat in the workspace.
    async fn enter(&self, workspace: Uuid) -> Result<(Visit, Seat), Refusal> {
        let mut visit = self.visit().await?;
        let seat = visit.tx.seat(workspace, &visit.session.user.id).await?.ok_or(Refusal::NotFound)?;
        Ok((visit, seat))
    }

    /// Counts that the visitor makes something, unless they have made too much of late.
    async fn count_creation(&self, visit: &mut Visit) -> Result<(), Refusal> {
        let (limit, user) = (self.app.limits.creations_per_user, &visit.session.user.id);
        admit(&mut visit.tx, Kind::Creation, user, limit, visit.now).await
    }
}

/// Errs unless the role allows the wish.
fn allow(role: Role, wish: Wish) -> Result<(), Refusal> {
    match decide(role, wish) {
        Decision::Allowed => Ok(()),
        Decision::Forbidden => Err(Refusal::Forbidden(
            "Your role in this workspace does not allow that. Ask one of its owners or admins.",
        )),
        Decision::LastOwner => Err(Refusal::Conflict {
            code: "last_owner",
            why: "A workspace needs an owner. Make someone else an owner first, or delete the workspace.",
        }),
    }
}

impl Visit {
    /// Audits something that the visitor did.
    pub(super) async fn record(&mut self, event: Event, detail: &str) -> Result<(), Refusal> {
        let entry = Entry { event, session: Some(&self.session), generation: None, detail: Some(detail) };
        Ok(self.tx.record(entry, self.now).await?)
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Self::Invalid(unfit.to_string())
    }
}

/// Makes a workspace, whose owner the asker becomes.
pub async fn create(asking: Asking<'_>, name: &str) -> Result<Workspace, Refusal> {
    let name = &line("name", name, LONGEST_NAME)?;
    again(|| async {
        let mut visit = asking.visit().await?;
        asking.count_creation(&mut visit).await?;
        let workspace = visit.tx.insert_workspace(name, &visit.session.user, visit.now).await?;
        visit.record(Event::WorkspaceMade, &workspace.id).await?;
        visit.tx.commit().await?;
        Ok(workspace)
    })
    .await
}

/// The asker's workspaces, oldest first.
pub async fn list(asking: Asking<'_>) -> Result<Vec<Workspace>, Refusal> {
    again(|| async {
        let mut visit = asking.visit().await?;
        let workspaces = visit.tx.workspaces_of(&visit.session.user.id).await?;
        visit.tx.commit().await?;
        Ok(workspaces)
    })
    .await
}

/// One of the asker's workspaces.
pub async fn read(asking: Asking<'_>, workspace: Uuid) -> Result<Workspace, Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        let workspace = visit.tx.workspace(&seat).await?;
        visit.tx.commit().await?;
        Ok(workspace)
    })
    .await
}

/// Gives a workspace another name.
pub async fn rename(asking: Asking<'_>, workspace: Uuid, name: &str) -> Result<Workspace, Refusal> {
    let name = &line("name", name, LONGEST_NAME)?;
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        allow(seat.role(), Wish::Rename)?;
        visit.tx.rename_workspace(&seat, name).await?;
        let workspace = visit.tx.workspace(&seat).await?;
        visit.tx.commit().await?;
        Ok(workspace)
    })
    .await
}

/// Deletes a workspace with everything in it.
pub async fn delete(asking: Asking<'_>, workspace: Uuid) -> Result<(), Refusal> {
    again(|| async {
        let (mut visit, seat) = asking.enter(workspace).await?;
        allow(seat.role(), Wish::Erase)?;
        visit.tx.delete_workspace(&seat).await?;
        visit.record(Event::WorkspaceDeleted, seat.workspace()).await?;
        Ok(visit.tx.commit().await?)
    })
    .await
}
