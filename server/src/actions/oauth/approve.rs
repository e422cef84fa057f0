//! A user answers what an OAuth client asks for. Only the allowed request becomes a code.

use crate::actions::browser::session::still_open;
use crate::actions::limit;
use crate::actions::oauth::error::OAuthError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::authorizations::Authorization;
use crate::db::clients::OAuthClient;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, retry};
use crate::digest::Digest;
use crate::rules::audit_event::AuditEvent;
use crate::rules::oauth::code::LIFETIME;
use crate::rules::oauth::pkce::Challenge;
use crate::rules::oauth::scope::Scopes;
use crate::secret::{SecretBytes, SecretText};
use crate::time::Timestamp;

/// What a client asks for, checked.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    pub client: OAuthClient,
    /// Where the answer goes, to the letter.
    pub redirect: String,
    /// What it must prove to know.
    pub challenge: Challenge,
    pub scopes: Scopes,
    /// What it wants to find in the id_token.
    pub nonce: Option<String>,
}

pub async fn client(app: &AppState, id: &str) -> Result<Option<OAuthClient>, DbError> {
    retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        tx.client(id).await
    })
    .await
}

/// Whether the user of the browser's `session` has allowed this client something before.
pub async fn has_allowed(
    app: &AppState,
    session: &StoredSession,
    client: &OAuthClient,
) -> Result<bool, DbError> {
    retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        tx.has_session_of_client(&session.user.id, &client.id).await
    })
    .await
}

/// Makes a code for what the user of the browser's `session` allows. It works once, for a minute. `auth_time` is when
/// they proved who they are.
pub async fn allow(
    app: &AppState,
    session: &StoredSession,
    auth_time: Timestamp,
    asked: &AuthorizationRequest,
) -> Result<SecretText, OAuthError> {
    retry(|| async {
        let code = SecretBytes::random()?.to_base64();
        let mut tx = app.store.begin().await?;
        let now = app.now();
        let session = still_open(&mut tx, session).await?;
        let (kind, limit) = (ThrottleKind::Consent, app.limits.consents_per_user);
        limit::admit(&mut tx, kind, &session.user.id, limit, now).await?;
        let authorization = Authorization {
            client: asked.client.id.clone(),
            user: session.user.id.clone(),
            redirect: asked.redirect.clone(),
            challenge: asked.challenge,
            scope: asked.scopes.text(),
            nonce: asked.nonce.clone(),
            auth_time,
            expires_at: now.plus(LIFETIME),
            approved_by: Some(session.id.clone()),
            session: None,
        };
        tx.insert_authorization(&Digest::sha256(code.expose().as_bytes()), &authorization).await?;
        let detail = Some(asked.client.id.as_str());
        let entry =
            AuditEntry { event: AuditEvent::ConsentGiven, session: Some(&session), generation: None, detail };
        tx.record(entry, now).await?;
        tx.commit().await?;
        Ok(code)
    })
    .await
}

/// Remembers that the user did not allow it.
pub async fn deny(
    app: &AppState,
    session: &StoredSession,
    asked: &AuthorizationRequest,
) -> Result<(), DbError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let detail = Some(asked.client.id.as_str());
        let entry = AuditEntry {
            event: AuditEvent::ConsentRefused,
            session: Some(session),
            generation: None,
            detail,
        };
        tx.record(entry, app.now()).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
