//! Lists a user's sessions that still open something.

use super::visit::last_seen;
use crate::actions::{Refusal, again};
use crate::app::App;
use crate::db::sessions::Session;
use crate::db::users::User;
use crate::rules::grant::Grant;

/// The user's sessions that have neither ended nor lapsed, the last seen first.
pub async fn list(app: &App, user: &User) -> Result<Vec<Session>, Refusal> {
    again(|| async {
        let mut tx = app.store.begin_reading().await?;
        let now = app.now();
        let mut sessions = tx.open_sessions_of(&user.id, now).await?;
        tx.commit().await?;
        let idle = app.limits.web_idle;
        sessions.retain(|session| session.grant != Grant::Web || now.since(last_seen(session)) < idle);
        Ok(sessions)
    })
    .await
}
