//! The pair of tokens that a sign-in or a refresh answers with.

use std::time::Duration;

use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::sessions::StoredSession;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::access::AccessSubject;
use crate::tokens::refresh::RefreshToken;

/// A pair of tokens. It must only leave the server once what it rests on is committed.
#[derive(Debug)]
pub struct TokenPair {
    pub access: SecretText,
    /// How long the access token works.
    pub access_expires_in: Duration,
    pub refresh: RefreshToken,
    /// How long the refresh token works unless it is used.
    pub refresh_expires_in: Duration,
}

/// Pairs a refresh token of the session's `generation` with a fresh access token of the same generation.
pub(crate) fn pair(
    app: &AppState,
    session: &StoredSession,
    generation: i64,
    refresh: RefreshToken,
    refresh_expires_at: Timestamp,
    now: Timestamp,
) -> Result<TokenPair, ServerError> {
    let access_expires_in = app.policy.access_ttl;
    Ok(TokenPair {
        access: access(app, session, generation, access_expires_in, now)?,
        access_expires_in,
        refresh,
        refresh_expires_in: refresh_expires_at.since(now),
    })
}

/// An access token of the session's `generation` that works for `span`.
pub(crate) fn access(
    app: &AppState,
    session: &StoredSession,
    generation: i64,
    span: Duration,
    now: Timestamp,
) -> Result<SecretText, ServerError> {
    let subject = AccessSubject {
        user: &session.user.id,
        email: &session.user.email,
        session: &session.id,
        generation,
        grant: &session.grant,
    };
    let signed = app.access.sign(&app.keys, subject, now, now.plus(span));
    signed.map_err(|error| ServerError::Unavailable(error.to_string()))
}
