//! A request that carries an access token: who it is, and whether the session still stands.

use std::time::Duration;

use crate::actions::server_error::{ServerError, action_error};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::sessions::StoredSession;
use crate::db::{DbError, Tx};
use crate::rules::access::{SessionStanding, TokenAccess, decide};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::oauth::scope::Scopes;
use crate::rules::session_kind::SessionKind;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::access::AccessClaims;

/// An open transaction in which the bearer's session is locked, so that nothing can revoke or rotate it.
pub struct BearerSession {
    /// The transaction; commit it to keep that the token has been seen.
    pub tx: Tx,
    pub session: StoredSession,
    /// When it was opened.
    pub now: Timestamp,
}

/// A bearer's session, or the mere sight of one whose access token has expired.
pub enum ProbedSession {
    /// The token is valid.
    Full(BearerSession),
    /// The token has expired, but its session stands.
    Expired(BearerSession),
}

/// Why a bearer was not let in.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The access token opens nothing.
    #[error("unauthorized")]
    Unauthorized,
    /// The server could not do it.
    #[error(transparent)]
    Server(#[from] ServerError),
}

action_error!(BearerError);

/// Lets `?` turn a refused bearer into the error of a folder, which has a variant `Unauthorized`.
macro_rules! from_bearer_error {
    ($error:ty) => {
        impl From<$crate::actions::bearer_session::BearerError> for $error {
            fn from(error: $crate::actions::bearer_session::BearerError) -> Self {
                match error {
                    $crate::actions::bearer_session::BearerError::Unauthorized => Self::Unauthorized,
                    $crate::actions::bearer_session::BearerError::Server(error) => Self::Server(error),
                }
            }
        }
    };
}

pub(crate) use from_bearer_error;

/// Looks at a session with an access token that may have expired (RR-1's probe). Takes the same lock
/// as a rotation and consumes nothing.
pub async fn probe(
    app: &AppState,
    token: &SecretText,
    caller: &NetworkCaller,
) -> Result<ProbedSession, BearerError> {
    let claims = app.access.read(&app.keys, token).map_err(|_| BearerError::Unauthorized)?;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let session = tx.session_for_update(&claims.sid).await?.ok_or(BearerError::Unauthorized)?;
    let (standing, session) = stands(session, &claims);
    let access = decide(standing, Timestamp::from_secs(claims.exp), now);
    if access != TokenAccess::Refused && claims.r#gen > session.seen_generation {
        tx.mark_seen(&session.id, claims.r#gen).await?;
    }
    if access == TokenAccess::Full && is_news(&session, caller, now) {
        tx.note_sight(&session.id, caller, now).await?;
    }
    match access {
        TokenAccess::Full => Ok(ProbedSession::Full(BearerSession { tx, session, now })),
        TokenAccess::ProbeOnly => Ok(ProbedSession::Expired(BearerSession { tx, session, now })),
        TokenAccess::Refused => Err(BearerError::Unauthorized),
    }
}

/// Whether the session is the one that the token was signed for and still stands; and the session as far as the token
/// reaches, which for an OAuth client may be less than its session does.
pub(super) fn stands(mut session: StoredSession, claims: &AccessClaims) -> (SessionStanding, StoredSession) {
    // A generation the database has not reached was signed before it was restored from a backup.
    let mut fits = session.user.id == claims.sub && claims.r#gen <= session.generation;
    if let SessionKind::OAuth { client, scope } = &mut session.grant {
        fits &= claims.client_id.as_ref() == Some(client);
        let signed = Scopes::read(claims.scope.as_deref().unwrap_or_default());
        *scope = Scopes::read(scope).and(&signed).text();
    }
    (if fits { session.standing() } else { SessionStanding::Ended }, session)
}

/// Opens the session of an access token. An expired one is refused like any other bad one, and so is one that was given
/// for something else than `admits` lets in.
pub async fn open(
    app: &AppState,
    token: &SecretText,
    caller: &NetworkCaller,
    admits: fn(&SessionKind) -> bool,
) -> Result<BearerSession, BearerError> {
    match probe(app, token, caller).await? {
        ProbedSession::Full(bearer) if admits(&bearer.session.grant) => Ok(bearer),
        ProbedSession::Full(_) | ProbedSession::Expired(_) => Err(BearerError::Unauthorized),
    }
}

/// A request of a user's own tool, with its access token.
#[derive(Clone, Copy)]
pub struct ToolRequest<'a> {
    pub app: &'a AppState,
    /// The access token, not yet checked.
    pub token: &'a SecretText,
    /// The network side.
    pub caller: &'a NetworkCaller,
}

impl ToolRequest<'_> {
    /// Checks the access token.
    pub async fn open(&self) -> Result<BearerSession, BearerError> {
        open(self.app, self.token, self.caller, first_party).await
    }
}

impl BearerSession {
    /// Audits something that the bearer did.
    pub async fn record(&mut self, event: AuditEvent, detail: &str) -> Result<(), DbError> {
        let entry =
            AuditEntry { event, session: Some(&self.session), generation: None, detail: Some(detail) };
        self.tx.record(entry, self.now).await
    }
}

/// Lets in OAuth clients.
pub fn oauth(grant: &SessionKind) -> bool {
    matches!(grant, SessionKind::OAuth { .. })
}

/// Lets in the user's own tools, which may do everything the user may.
pub fn first_party(grant: &SessionKind) -> bool {
    matches!(grant, SessionKind::FirstParty)
}

/// A sight is written down once a minute, or when the address is another one.
pub(super) fn is_news(session: &StoredSession, caller: &NetworkCaller, now: Timestamp) -> bool {
    session.last_seen.as_ref().is_none_or(|(at, from)| {
        now.since(*at) >= Duration::from_secs(60) || *from != caller.address.to_string()
    })
}
