//! A request that carries an access token: who it is, and whether the session still stands.

use super::Refusal;
use crate::app::App;
use crate::db::Tx;
use crate::db::sessions::Session;
use crate::rules::access::{Access, Standing, decide};
use crate::secret::SecretText;
use crate::time::Moment;

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
pub async fn probe(app: &App, token: &SecretText) -> Result<Probe, Refusal> {
    let claims = app.access.read(&app.keys, token)?;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let session = tx.session_for_update(&claims.sid).await?.ok_or(Refusal::Unauthorized)?;
    // A generation the database has not reached was signed before it was restored from a backup.
    let standing = if session.user.id == claims.sub && claims.r#gen <= session.generation {
        session.standing()
    } else {
        Standing::Ended
    };
    let access = decide(standing, Moment::from_secs(claims.exp), now);
    if access != Access::Refused && claims.r#gen > session.seen_generation {
        tx.mark_seen(&session.id, claims.r#gen).await?;
    }
    match access {
        Access::Full => Ok(Probe::Full(Visit { tx, session, now })),
        Access::ProbeOnly => Ok(Probe::Expired(Visit { tx, session, now })),
        Access::Refused => Err(Refusal::Unauthorized),
    }
}

/// Begins a visit; an expired access token is refused like any other bad one.
pub async fn visit(app: &App, token: &SecretText) -> Result<Visit, Refusal> {
    match probe(app, token).await? {
        Probe::Full(visit) => Ok(visit),
        Probe::Expired(_) => Err(Refusal::Unauthorized),
    }
}
