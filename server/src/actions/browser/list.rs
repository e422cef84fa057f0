//! Lists a user's sessions that still open something.

use crate::actions::browser::session::last_seen;
use crate::actions::server_error::ServerError;
use crate::app::App;
use crate::db::retry;
use crate::db::sessions::Session;
use crate::db::users::User;
use crate::rules::grant::Grant;

/// A session, and what its OAuth client calls itself.
#[derive(Debug)]
pub struct Listed {
    /// The session.
    pub session: Session,
    /// The name its client registered with; empty for every other kind of session.
    pub client: String,
}

/// The user's sessions that have neither ended nor lapsed, the last seen first.
pub async fn list(app: &App, user: &User) -> Result<Vec<Listed>, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        let now = app.now();
        let mut sessions = tx.open_sessions_of(&user.id, now).await?;
        let idle = app.limits.web_idle;
        sessions.retain(|session| session.grant != Grant::Web || now.since(last_seen(session)) < idle);
        let mut listed = Vec::with_capacity(sessions.len());
        for session in sessions {
            let client = match &session.grant {
                Grant::OAuth { client, scope: _ } => tx.client(client).await?,
                Grant::FirstParty | Grant::Web | Grant::Cli { .. } => None,
            };
            let client = client.map(|client| client.registered.name).unwrap_or_default();
            listed.push(Listed { session, client });
        }
        tx.commit().await?;
        Ok(listed)
    })
    .await
}
