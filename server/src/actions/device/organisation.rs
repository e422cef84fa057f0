//! In which organisation the achilles CLI acts for a user, and as what.

use crate::db::users::{Platform, StoredUser};
use crate::db::{DbError, Tx};
use crate::rules::role::Role;
use crate::rules::session_kind::SessionKind;

/// The organisation of users who are in none.
const NO_ORGANISATION: &str = "org_default";

/// The grant for the achilles CLI of this user: their oldest workspace is its organisation.
pub(super) async fn first_organisation(tx: &mut Tx, user: &StoredUser) -> Result<SessionKind, DbError> {
    let oldest = tx.memberships_of(&user.id).await?.into_iter().next();
    let (org, role) = match oldest {
        Some(membership) => (membership.workspace, role_in(membership.role)),
        None => (NO_ORGANISATION.to_owned(), role_without(user.platform)),
    };
    Ok(SessionKind::Cli { org, role: role.to_owned() })
}

/// The grant as it is now for a session that was approved for this organisation; `None` for who is no longer in it.
pub async fn current_organisation(
    tx: &mut Tx,
    user: &StoredUser,
    org: &str,
) -> Result<Option<SessionKind>, DbError> {
    let role = if org == NO_ORGANISATION {
        Some(role_without(user.platform))
    } else {
        let mine = tx.memberships_of(&user.id).await?;
        mine.iter().find(|mine| mine.workspace == org).map(|mine| role_in(mine.role))
    };
    Ok(role.map(|role| SessionKind::Cli { org: org.to_owned(), role: role.to_owned() }))
}

fn role_in(role: Role) -> &'static str {
    match role {
        Role::Owner | Role::Admin => "admin",
        Role::Member => "analyst",
    }
}

fn role_without(platform: Platform) -> &'static str {
    match platform {
        Platform::Admin => "admin",
        Platform::None => "explorer",
    }
}
