//! A request that carries an access token: who it is, and whether the session still stands.

use std::time::Duration;

use super::Refusal;
use crate::app::App;
use crate::db::Tx;
use crate::db::sessions::Session;
use crate::rules::access::{Access, Standing, decide};
use crate::rules::caller::Caller;
use crate::rules::grant::Grant;
use crate::rules::oauth::scope::Scopes;
use crate::secret::SecretText;
use crate::time::Moment;
use crate::tokens::access::Claims;

/// An open transaction in which the bearer's session is locked, so that nothing can revoke or rotate it.
pub struct Visit {
    /// The transaction; commit it to keep that the token has been seen.
    pub tx: Tx,
    /// The bearer's session.
    pub session: Session,
    /// When the visit began.
    pub now: Moment,
}

/// A visit, or the mere sight of a session whose access token has expired.
pub enum Probe {
    /// The token is valid.
    Full(Visit),
    /// The token has expired, but its session stands.
    Expired(Visit),
}

/// Looks at a session with an access token that may have expired (RR-1's probe). Takes the same lock
/// as a rotation and consumes nothing.
pub async fn probe(app: &App, token: &SecretText, caller: &Caller) -> Result<Probe, Refusal> {
    let claims = app.access.read(&app.keys, token)?;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let session = tx.session_for_update(&claims.sid).await?.ok_or(Refusal::Unauthorized)?;
    let (standing, session) = stands(session, &claims);
    let access = decide(standing, Moment::from_secs(claims.exp), now);
    if access != Access::Refused && claims.r#gen > session.seen_generation {
        tx.mark_seen(&session.id, claims.r#gen).await?;
    }
    if access == Access::Full && is_news(&session, caller, now) {
        tx.note_sight(&session.id, caller, now).await?;
    }
    match access {
        Access::Full => Ok(Probe::Full(Visit { tx, session, now })),
        Access::ProbeOnly => Ok(Probe::Expired(Visit { tx, session, now })),
        Access::Refused => Err(Refusal::Unauthorized),
    }
}

/// Whether the session is the one that the token was signed for and still stands; and the session as far as the token
/// reaches, which for an OAuth client may be less than its session does.
pub(super) fn stands(mut session: Session, claims: &Claims) -> (Standing, Session) {
    // A generation the database has not reached was signed before it was restored from a backup.
    let mut fits = session.user.id == claims.sub && claims.r#gen <= session.generation;
    if let Grant::OAuth { client, scope } = &mut session.grant {
        fits &= claims.client_id.as_ref() == Some(client);
        let signed = Scopes::read(claims.scope.as_deref().unwrap_or_default());
        *scope = Scopes::read(scope).and(&signed).text();
    }
    (if fits { session.standing() } else { Standing::Ended }, session)
}

/// Begins a visit. An expired access token is refused like any other bad one, and so is one that was given for
/// something else than `admits` lets in.
pub async fn visit(
    app: &App,
    token: &SecretText,
    caller: &Caller,
    admits: fn(&Grant) -> bool,
) -> Result<Visit, Refusal> {
    match probe(app, token, caller).await? {
        Probe::Full(visit) if admits(&visit.session.grant) => Ok(visit),
        Probe::Full(_) | Probe::Expired(_) => Err(Refusal::Unauthorized),
    }
}

/// Lets in OAuth clients.
pub fn oauth(grant: &Grant) -> bool {
    matches!(grant, Grant::OAuth { .. })
}

/// Lets in the user's own tools, which may do everything the user may.
pub fn first_party(grant: &Grant) -> bool {
    matches!(grant, Grant::FirstParty)
}

/// A sight is written down once a minute, or when the address is another one.
pub(super) fn is_news(session: &Session, caller: &Caller, now: Moment) -> bool {
    session.last_seen.as_ref().is_none_or(|(at, from)| {
        now.since(*at) >= Duration::from_secs(60) || *from != caller.address.to_string()
    })
}
