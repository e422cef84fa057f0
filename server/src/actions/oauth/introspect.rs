//! Looks at a token for a client that may know about it (RFC 7662). It consumes nothing; a generation whose access token
//! is active has been seen, which is written once for each.

use crate::actions::bearer_session;
use crate::app::AppState;
use crate::db::clients::OAuthClient;
use crate::db::sessions::StoredSession;
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::rules::access::SessionStanding;
use crate::rules::session_kind::SessionKind;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::access::AccessClaims;

/// A token that works.
#[derive(Debug)]
pub struct ActiveToken {
    /// Whose it is: the user's id.
    pub user: String,
    /// The client it was given to.
    pub client: String,
    pub scope: String,
    pub expires_at: Timestamp,
    /// When it was issued, of an access token.
    pub issued_at: Option<Timestamp>,
    /// Whether it is a refresh token.
    pub is_refresh: bool,
}

/// What the token is good for; `None` if it is good for nothing, or is none of the client's business. A client sees its
/// own tokens; one that the operator lets introspect sees every client's access tokens. First-party tokens are nobody's.
pub async fn introspect(
    app: &AppState,
    token: &SecretText,
    client: &OAuthClient,
) -> Result<Option<ActiveToken>, DbError> {
    match app.access.read(&app.keys, token) {
        Ok(claims) => {
            let seen = retry(|| access(app, &claims, client)).await?;
            if let Some(Seen { is_news: true, .. }) = seen {
                retry(|| note(app, &claims, client)).await?;
            }
            Ok(seen.map(|seen| seen.token))
        }
        Err(_) => retry(|| refresh(app, token, client)).await,
    }
}

/// An access token that works.
struct Seen {
    token: ActiveToken,
    /// Whether nothing of its generation was seen before.
    is_news: bool,
}

/// Reads without a lock: this is asked for each request to a resource server.
async fn access(
    app: &AppState,
    claims: &AccessClaims,
    client: &OAuthClient,
) -> Result<Option<Seen>, DbError> {
    let session = app.store.begin_reading().await?.session(&claims.sid).await?;
    Ok(session.and_then(|session| active(session, claims, client, app.now())))
}

/// Whoever uses an access token has got the answer that brought it, so nobody needs that answer again.
async fn note(app: &AppState, claims: &AccessClaims, client: &OAuthClient) -> Result<(), DbError> {
    let mut tx = app.store.begin().await?;
    let session = tx.session_for_update(&claims.sid).await?;
    if session.and_then(|session| active(session, claims, client, app.now())).is_some_and(|seen| seen.is_news)
    {
        tx.mark_seen(&claims.sid, claims.r#gen).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn active(
    session: StoredSession,
    claims: &AccessClaims,
    client: &OAuthClient,
    now: Timestamp,
) -> Option<Seen> {
    let is_news = claims.r#gen > session.seen_generation;
    let (standing, session) = bearer_session::stands(session, claims);
    let expires_at = Timestamp::from_secs(claims.exp);
    let SessionKind::OAuth { client: holder, scope } = session.grant else { return None };
    let may = holder == client.id || client.introspects;
    if standing == SessionStanding::Ended || now >= expires_at || !may {
        return None;
    }
    let token = ActiveToken {
        user: session.user.id,
        client: holder,
        scope,
        expires_at,
        issued_at: Some(Timestamp::from_secs(claims.iat)),
        is_refresh: false,
    };
    Some(Seen { token, is_news })
}

async fn refresh(
    app: &AppState,
    token: &SecretText,
    client: &OAuthClient,
) -> Result<Option<ActiveToken>, DbError> {
    let mut tx: Tx = app.store.begin_reading().await?;
    let hash = Digest::sha256(token.expose().as_bytes());
    let Some(stored) = tx.token_for_update(&hash).await? else { return Ok(None) };
    let Some(session) = tx.session(&stored.session_id).await? else { return Ok(None) };
    let standing = session.standing();
    let SessionKind::OAuth { client: holder, scope } = session.grant else { return Ok(None) };
    let works =
        standing == SessionStanding::Live && stored.consumed.is_none() && app.now() < stored.expires_at;
    if !works || holder != client.id {
        return Ok(None);
    }
    Ok(Some(ActiveToken {
        user: session.user.id,
        client: holder,
        scope,
        expires_at: stored.expires_at,
        issued_at: None,
        is_refresh: true,
    }))
}
