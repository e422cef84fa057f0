//! Looks at a token for a client that may know about it (RFC 7662). It consumes nothing and marks nothing as seen.

use crate::actions::bearer_session;
use crate::app::App;
use crate::db::clients::Client;
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::rules::access::Standing;
use crate::rules::grant::Grant;
use crate::secret::SecretText;
use crate::time::Moment;
use crate::tokens::access::Claims;

/// A token that works.
#[derive(Debug)]
pub struct Active {
    /// Whose it is: the user's id.
    pub user: String,
    /// The client it was given to.
    pub client: String,
    /// What for.
    pub scope: String,
    /// When it lapses.
    pub expires_at: Moment,
    /// When it was issued, of an access token.
    pub issued_at: Option<Moment>,
    /// Whether it is a refresh token.
    pub is_refresh: bool,
}

/// What the token is good for; `None` if it is good for nothing, or is none of the client's business. A client sees its
/// own tokens; one that the operator lets introspect sees every client's access tokens. First-party tokens are nobody's.
pub async fn introspect(app: &App, token: &SecretText, client: &Client) -> Result<Option<Active>, DbError> {
    match app.access.read(&app.keys, token) {
        Ok(claims) => retry(|| access(app, &claims, client)).await,
        Err(_) => retry(|| refresh(app, token, client)).await,
    }
}

async fn access(app: &App, claims: &Claims, client: &Client) -> Result<Option<Active>, DbError> {
    let mut tx = app.store.begin_reading().await?;
    let Some(session) = tx.session_for_update(&claims.sid).await? else { return Ok(None) };
    let (standing, session) = bearer_session::stands(session, claims);
    let expires_at = Moment::from_secs(claims.exp);
    let Grant::OAuth { client: holder, scope } = session.grant else { return Ok(None) };
    if standing == Standing::Ended || app.now() >= expires_at || !(holder == client.id || client.introspects)
    {
        return Ok(None);
    }
    Ok(Some(Active {
        user: session.user.id,
        client: holder,
        scope,
        expires_at,
        issued_at: Some(Moment::from_secs(claims.iat)),
        is_refresh: false,
    }))
}

async fn refresh(app: &App, token: &SecretText, client: &Client) -> Result<Option<Active>, DbError> {
    let mut tx: Tx = app.store.begin_reading().await?;
    let hash = Digest::sha256(token.expose().as_bytes());
    let Some(stored) = tx.token_for_update(&hash).await? else { return Ok(None) };
    let Some(session) = tx.session_for_update(&stored.session_id).await? else { return Ok(None) };
    let standing = session.standing();
    let Grant::OAuth { client: holder, scope } = session.grant else { return Ok(None) };
    let works = standing == Standing::Live && stored.consumed.is_none() && app.now() < stored.expires_at;
    if !works || holder != client.id {
        return Ok(None);
    }
    Ok(Some(Active {
        user: session.user.id,
        client: holder,
        scope,
        expires_at: stored.expires_at,
        issued_at: None,
        is_refresh: true,
    }))
}
