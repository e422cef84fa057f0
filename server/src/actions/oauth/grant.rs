//! Begins the session of an OAuth client, whichever way its user agreed.

use std::time::Duration;

use crate::actions::server_error::ServerError;
use crate::actions::sessions::begin::{self, NewTokenSession};
use crate::actions::sessions::tokens;
use crate::app::AppState;
use crate::db::Tx;
use crate::db::clients::OAuthClient;
use crate::db::sessions::StoredSession;
use crate::db::users::StoredUser;
use crate::rules::caller::NetworkCaller;
use crate::rules::oauth::client::GrantType;
use crate::rules::oauth::scope::{Scope, Scopes};
use crate::rules::session_kind::{ProofMethod, SessionKind};
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::id_token::{self, IdTokenClaims, OidcUserClaims};
use crate::tokens::refresh::RefreshToken;

/// What a user agreed to.
#[derive(Clone, Copy, Debug)]
pub struct ClientGrant<'a> {
    pub user: &'a StoredUser,
    /// To whom the tokens go.
    pub client: &'a OAuthClient,
    pub scopes: &'a Scopes,
    pub how: ProofMethod,
    /// When they proved who they are, where that is known.
    pub auth_time: Option<Timestamp>,
    /// The session in which they agreed, where that is known.
    pub approved_by: Option<&'a str>,
    /// What the client wants to find in the id_token.
    pub nonce: Option<&'a str>,
    /// How long the client wants the access token to work.
    pub access_ttl: Option<Duration>,
    pub caller: &'a NetworkCaller,
}

/// What an OAuth client is given. It must only leave the server once the transaction is committed.
#[derive(Debug)]
pub struct GrantedTokens {
    pub access: SecretText,
    /// How long the access token works.
    pub access_expires_in: Duration,
    /// The refresh token, and how long it works unless it is used.
    pub refresh: Option<(RefreshToken, Duration)>,
    /// The id_token, with scope `openid`.
    pub id_token: Option<SecretText>,
    pub scopes: Scopes,
}

/// Begins the session within `tx`. A client that registered the refresh_token grant gets a refresh token. One that did
/// not may ask for a longer access token instead.
pub async fn grant(
    app: &AppState,
    tx: &mut Tx,
    granting: ClientGrant<'_>,
    now: Timestamp,
) -> Result<(StoredSession, GrantedTokens), ServerError> {
    let ClientGrant { user, client, scopes, how, auth_time, approved_by, nonce, access_ttl, caller } =
        granting;
    let grant = SessionKind::OAuth { client: client.id.clone(), scope: scopes.text() };
    let new = NewTokenSession { user, grant: &grant, how, approved_by, caller };
    let session = begin::bare(app, tx, new, now).await?;
    let (refresh, most) = if client.may(GrantType::Refresh) {
        let (token, expires_at) = begin::first_refresh_token(app, tx, &session, now).await?;
        (Some((token, expires_at.since(now))), app.policy.access_ttl)
    } else {
        (None, longest_access(app))
    };
    let access_expires_in = access_ttl.unwrap_or(app.policy.access_ttl).min(most);
    if refresh.is_none() {
        tx.set_access_expiry(&session.id, now.plus(access_expires_in)).await?;
    }
    let access = tokens::access(app, &session, 1, access_expires_in, now)?;
    let id_token = if scopes.has(Scope::OpenId) {
        let claims = IdTokenClaims {
            iss: &app.public_url,
            aud: &client.id,
            sub: &user.id,
            iat: now.secs(),
            exp: now.plus(app.policy.access_ttl).secs(),
            auth_time: auth_time.map(Timestamp::secs),
            nonce,
            about: about(user, scopes),
        };
        let signed = id_token::sign(&app.keys, &claims);
        Some(signed.map_err(|error| ServerError::Unavailable(error.to_string()))?)
    } else {
        None
    };
    Ok((session, GrantedTokens { access, access_expires_in, refresh, id_token, scopes: scopes.clone() }))
}

/// How long the access token of a client without refresh tokens may work, if it asks for that.
pub fn longest_access(app: &AppState) -> Duration {
    app.limits.longest_access.max(app.policy.access_ttl)
}

/// What the scopes let a client know about a user.
pub fn about<'a>(user: &'a StoredUser, scopes: &Scopes) -> OidcUserClaims<'a> {
    let email = scopes.has(Scope::Email);
    OidcUserClaims {
        email: email.then_some(user.email.as_str()),
        email_verified: email.then_some(true),
        name: (scopes.has(Scope::Profile) && !user.name.is_empty()).then_some(user.name.as_str()),
    }
}
