//! What users say of themselves: their name, and the organisation that the achilles CLI acts in for them.

use crate::actions::browser::session::still_open;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::memberships::Membership;
use crate::db::retry;
use crate::db::sessions::StoredSession;
use crate::db::users::StoredUser;
use crate::rules::text::{InvalidText, line};

/// The longest name of a user, in characters.
pub const LONGEST_DISPLAY_NAME: usize = 80;

/// Where the achilles CLI may act for a user.
#[derive(Debug)]
pub struct Organisations {
    /// The workspaces of the user, the oldest first.
    pub all: Vec<Membership>,
    /// The one that the user chose, if they are still in it.
    pub chosen: Option<String>,
}

/// A name that a user may have: empty, or one line.
pub fn display_name(text: &str) -> Result<String, InvalidText> {
    if text.trim().is_empty() { Ok(String::new()) } else { line("the name", text, LONGEST_DISPLAY_NAME) }
}

/// The organisations of a user.
pub async fn organisations(app: &AppState, user: &StoredUser) -> Result<Organisations, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let all = tx.memberships_of(&user.id).await?;
        let chosen = tx.achilles_grant(&user.id).await?.organisation;
        tx.commit().await?;
        let chosen = chosen.filter(|chosen| all.iter().any(|mine| mine.workspace == *chosen));
        Ok(Organisations { all, chosen })
    })
    .await
}

/// Names the user of a browser's session, and notes the organisation that the achilles CLI acts in from its next sign-in on; `None` stands for the
/// oldest. `false`, and nothing is changed, if the user is not in that organisation.
pub async fn change(
    app: &AppState,
    session: &StoredSession,
    name: &str,
    organisation: Option<&str>,
) -> Result<bool, ServerError> {
    let user = &session.user;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        still_open(&mut tx, session).await?;
        if let Some(organisation) = organisation {
            let mine = tx.memberships_of(&user.id).await?;
            if !mine.iter().any(|mine| mine.workspace == organisation) {
                return Ok(false);
            }
        }
        tx.set_name(&user.id, name).await?;
        tx.set_organisation(&user.id, organisation).await?;
        tx.commit().await?;
        Ok(true)
    })
    .await
}
