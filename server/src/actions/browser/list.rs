//! Lists a user's sessions that still open something.

use crate::actions::browser::session::last_seen;
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::left_behind::LeftBehind;
use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::retry;
use crate::db::sessions::StoredSession;
use crate::db::users::StoredUser;
use crate::rules::personal_token::PersonalTokenStanding;
use crate::rules::session_kind::SessionKind;

/// A session, and what its OAuth client calls itself.
#[derive(Debug)]
pub struct ListedSession {
    pub session: StoredSession,
    /// The name its client registered with; empty for every other kind of session.
    pub client: String,
}

/// Where a user is signed in, and what signs in without that.
#[derive(Debug)]
pub struct SessionList {
    pub sessions: Vec<ListedSession>,
    /// The access tokens that work.
    pub tokens: Vec<StoredPersonalToken>,
    /// The links and invitations that are open, by the session that made them.
    pub left: Vec<(Option<String>, LeftBehind)>,
}

/// The user's sessions that have neither ended nor lapsed, the last seen first.
pub async fn list(app: &AppState, user: &StoredUser) -> Result<SessionList, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        let now = app.now();
        let mut sessions = tx.open_sessions_of(&user.id, now).await?;
        let idle = app.limits.web_idle;
        sessions.retain(|session| session.grant != SessionKind::Web || now.since(last_seen(session)) < idle);
        let mut listed = Vec::with_capacity(sessions.len());
        for session in sessions {
            let client = match &session.grant {
                SessionKind::OAuth { client, scope: _ } => tx.client(client).await?,
                SessionKind::FirstParty | SessionKind::Web | SessionKind::Cli { .. } => None,
            };
            let client = client.map(|client| client.registered.name).unwrap_or_default();
            listed.push(ListedSession { session, client });
        }
        let mut tokens = tx.personal_tokens_of(&user.id).await?;
        tokens.retain(|token| token.standing(now) == PersonalTokenStanding::Live);
        let left = tx.left_behind_by(&user.id, now).await?;
        tx.commit().await?;
        Ok(SessionList { sessions: listed, tokens, left })
    })
    .await
}
