//! In which organisation the achilles CLI acts for a user, and as what.

use crate::db::users::{Platform, StoredUser};
use crate::db::{DbError, Tx};
use crate::rules::achilles_role::AchillesRole;
use crate::rules::session_kind::SessionKind;

/// The organisation of users who are in none.
const NO_ORGANISATION: &str = "org_default";

/// The grant for the achilles CLI of this user: the workspace that they chose, or their oldest one.
pub(super) async fn first_organisation(tx: &mut Tx, user: &StoredUser) -> Result<SessionKind, DbError> {
    let chosen = tx.achilles_grant(&user.id).await?.organisation;
    let mine = tx.memberships_of(&user.id).await?;
    let place = mine.iter().find(|mine| Some(&mine.workspace) == chosen.as_ref()).or(mine.first());
    Ok(match place {
        Some(place) => cli(&place.workspace, place.role.into()),
        None => cli(NO_ORGANISATION, role_without(tx, user).await?),
    })
}

/// The grant as it is now for a session that was approved for this organisation; `None` for who is no longer in it.
pub async fn current_organisation(
    tx: &mut Tx,
    user: &StoredUser,
    org: &str,
) -> Result<Option<SessionKind>, DbError> {
    let role = if org == NO_ORGANISATION {
        Some(role_without(tx, user).await?)
    } else {
        let mine = tx.memberships_of(&user.id).await?;
        mine.iter().find(|mine| mine.workspace == org).map(|mine| mine.role.into())
    };
    Ok(role.map(|role| cli(org, role)))
}

fn cli(org: &str, role: AchillesRole) -> SessionKind {
    SessionKind::Cli { org: org.to_owned(), role: role.as_str().to_owned() }
}

/// Outside workspaces nobody but the host grants anything.
async fn role_without(tx: &mut Tx, user: &StoredUser) -> Result<AchillesRole, DbError> {
    let granted = tx.achilles_grant(&user.id).await?.role;
    Ok(granted.unwrap_or(match user.platform {
        Platform::Admin => AchillesRole::Admin,
        Platform::None => AchillesRole::Explorer,
    }))
}
