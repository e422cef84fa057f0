//! The pair of tokens that a sign-in or a refresh answers with.

use std::time::Duration;

use super::Refusal;
use crate::app::App;
use crate::db::sessions::Session;
use crate::secret::SecretText;
use crate::time::Moment;
use crate::tokens::access::Subject;
use crate::tokens::refresh::RefreshToken;

/// A pair of tokens. It must only leave the server once what it rests on is committed.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: SecretText,
    /// How long the access token works.
    pub access_expires_in: Duration,
    /// The refresh token.
    pub refresh: RefreshToken,
    /// How long the refresh token works unless it is used.
    pub refresh_expires_in: Duration,
}

/// Pairs a refresh token of the session's `generation` with a fresh access token of the same generation.
pub(super) fn pair(
    app: &App,
    session: &Session,
    generation: i64,
    refresh: RefreshToken,
    refresh_expires_at: Moment,
    now: Moment,
) -> Result<Tokens, Refusal> {
    let access_expires_in = app.policy.access_ttl;
    Ok(Tokens {
        access: access(app, session, generation, access_expires_in, now)?,
        access_expires_in,
        refresh,
        refresh_expires_in: refresh_expires_at.since(now),
    })
}

/// An access token of the session's `generation` that works for `span`.
pub(super) fn access(
    app: &App,
    session: &Session,
    generation: i64,
    span: Duration,
    now: Moment,
) -> Result<SecretText, Refusal> {
    let subject = Subject {
        user: &session.user.id,
        email: &session.user.email,
        session: &session.id,
        generation,
        grant: &session.grant,
    };
    Ok(app.access.sign(&app.keys, subject, now, now.plus(span))?)
}
