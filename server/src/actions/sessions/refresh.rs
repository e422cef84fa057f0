//! Rotates a refresh token: one transaction that locks, decides, and only then consumes (RR-1).

use uuid::Uuid;

use crate::actions::alarm::{self, AlarmReach};
use crate::actions::device::current_organisation;
use crate::actions::server_error::ServerError;
use crate::actions::sessions::error::GrantError;
use crate::actions::sessions::tokens::{self, TokenPair};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::sessions::StoredSession;
use crate::db::tokens::{Consumed, ConsumedWith, NewToken, StoredToken};
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::metrics::METRICS;
use crate::rules::access::SessionStanding;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::oauth::scope::Scopes;
use crate::rules::rate;
use crate::rules::rotation::{
    Decline, PresentedToken, RefreshAttempt, RefreshDecision, ReplayPolicy, ReplayVerdict, Successor, decide,
    decide_unknown,
};
use crate::rules::session_kind::{SessionKind, TokenHolder};
use crate::time::Timestamp;
use crate::tokens::refresh::{IdempotencyKey, RefreshToken};

/// What a refresh request brought.
#[derive(Debug)]
pub struct RefreshRequest {
    pub token: RefreshToken,
    pub holder: TokenHolder,
    pub key: Option<IdempotencyKey>,
    /// The moment after which the request must not be carried out.
    pub deadline: Option<Timestamp>,
    pub caller: NetworkCaller,
}

/// A token of a session, and what replaced it if it was consumed.
struct Known {
    hash: Digest,
    token: StoredToken,
    session: StoredSession,
    replaced: Option<Replaced>,
}

struct Replaced {
    consumed: Consumed,
    successor_hash: Digest,
    successor_expires_at: Timestamp,
}

/// Carries a refresh request out. `RateLimited`, `RotationInProgress`, `DeadlineMissed` and `Unavailable`
/// leave every token as it was.
pub async fn refresh(app: &AppState, request: &RefreshRequest) -> Result<TokenPair, GrantError> {
    retry(|| attempt(app, request, None)).await.map(|(tokens, _)| tokens)
}

/// The same for an OAuth client, which may want an access token for less than it was granted (RFC 6749 section 6), and is
/// told what for. A scope that is wider is refused and consumes nothing; the refresh token keeps what was granted.
pub async fn refresh_within(
    app: &AppState,
    request: &RefreshRequest,
    scopes: Option<&Scopes>,
) -> Result<(TokenPair, Scopes), GrantError> {
    retry(|| attempt(app, request, scopes)).await
}

async fn attempt(
    app: &AppState,
    request: &RefreshRequest,
    asked: Option<&Scopes>,
) -> Result<(TokenPair, Scopes), GrantError> {
    let mut tx = app.store.begin().await?;
    let known = find(&mut tx, request.token.hash()).await?;
    // Taken after the lock, so that waiting for it counts against the deadline.
    let now = app.now();
    let attempt =
        RefreshAttempt { key: request.key.as_ref().map(IdempotencyKey::hash), deadline: request.deadline };
    // Another holder's token consumes nothing and raises no alarm: whoever brings it proves nothing.
    let Some(mut known) = known.filter(|known| known.session.grant.is_of(&request.holder)) else {
        return Err(refusal(decide_unknown(attempt, now)));
    };
    let scopes = narrow(&mut known.session.grant, asked)?;
    if let SessionKind::Cli { org, role: _ } = &known.session.grant {
        // The role may have changed since, and who left the organisation acts in it no more.
        let grant = current_organisation(&mut tx, &known.session.user, org).await?;
        known.session.grant = grant.ok_or(GrantError::InvalidGrant)?;
    }
    let token = facts(app, &mut tx, &known, now).await?;
    let policy = ReplayPolicy {
        mode: app.policy.retry,
        verdict: ReplayVerdict::of(&known.session.grant),
        patience: app.limits.contested_rotation,
    };
    match decide(policy, token, attempt, now) {
        RefreshDecision::Rotate => rotate(app, tx, &known, request, now).await,
        RefreshDecision::Repeat => repeat(app, tx, &known, request.key.as_ref(), now).await,
        RefreshDecision::RevokeAll => raise(app, tx, &known, AlarmReach::User, &request.caller, now).await,
        RefreshDecision::RevokeFamily => {
            raise(app, tx, &known, AlarmReach::Session, &request.caller, now).await
        }
        RefreshDecision::Decline(decline) => {
            let entry = AuditEntry {
                event: AuditEvent::Refused,
                session: Some(&known.session),
                generation: Some(known.token.generation),
                detail: Some(decline.as_str()),
            };
            tx.record(entry, now).await?;
            tx.commit().await?;
            Err(refusal(decline))
        }
    }
    .map(|tokens| (tokens, scopes))
}

/// Leaves of an OAuth grant what is asked for, and says what that is. Other grants have no scope.
fn narrow(grant: &mut SessionKind, asked: Option<&Scopes>) -> Result<Scopes, GrantError> {
    let SessionKind::OAuth { scope, .. } = grant else { return Ok(Scopes::default()) };
    let granted = Scopes::read(scope);
    let Some(asked) = asked else { return Ok(granted) };
    if !granted.covers(asked) {
        return Err(GrantError::InvalidScope);
    }
    *scope = asked.text();
    Ok(asked.clone())
}

/// Reads the token and locks its session, which is the lock that rotations and probes share.
async fn find(tx: &mut Tx, hash: Digest) -> Result<Option<Known>, GrantError> {
    let Some(token) = tx.token_for_update(&hash).await? else { return Ok(None) };
    let session = tx.session_for_update(&token.session_id).await?;
    let session = session.ok_or(DbError::Corrupt("refresh_tokens.session_id"))?;
    let replaced = match &token.consumed {
        None => None,
        Some(consumed) => {
            let successor = tx.token_of(&session.id, token.generation + 1).await?;
            let (successor_hash, successor_expires_at) =
                successor.ok_or(DbError::Corrupt("refresh_tokens.generation"))?;
            Some(Replaced { consumed: consumed.clone(), successor_hash, successor_expires_at })
        }
    };
    Ok(Some(Known { hash, token, session, replaced }))
}

async fn facts(
    app: &AppState,
    tx: &mut Tx,
    known: &Known,
    now: Timestamp,
) -> Result<PresentedToken, GrantError> {
    let Known { token, session, .. } = known;
    Ok(match (session.standing(), &known.replaced) {
        (SessionStanding::Ended, Some(replaced)) if session.was_signed_out() => {
            PresentedToken::SignedOut { key: replaced.consumed.with.as_ref().map(|with| with.key) }
        }
        (SessionStanding::Ended, _) => PresentedToken::Ended,
        (SessionStanding::Live, None) => {
            let limit = app.limits.rotations_per_session;
            let nth = tx.nth_newest_rotation(&session.id, limit.max).await?;
            PresentedToken::Fresh { expires_at: token.expires_at, rate: rate::check(limit, nth, now) }
        }
        (SessionStanding::Live, Some(replaced)) => PresentedToken::Spent {
            at: replaced.consumed.at,
            key: replaced.consumed.with.as_ref().map(|with| with.key),
            successor: if session.seen_generation > token.generation {
                Successor::Used
            } else {
                Successor::Unused { expires_at: replaced.successor_expires_at }
            },
        },
    })
}

/// Consumes the token and issues its successor: derived if the answer may be repeated, else random.
async fn rotate(
    app: &AppState,
    mut tx: Tx,
    known: &Known,
    request: &RefreshRequest,
    now: Timestamp,
) -> Result<TokenPair, GrantError> {
    let Known { hash, token, session, .. } = known;
    let (generation, server_key) = (token.generation + 1, app.keys.current());
    let (successor, with) = match &request.key {
        Some(key) => (
            RefreshToken::successor(&server_key, uuid_of(session)?, generation, hash, key),
            Some(ConsumedWith { key: key.hash(), server_key: server_key.id.clone() }),
        ),
        None => (RefreshToken::random()?, None),
    };
    tx.mark_seen(&session.id, token.generation).await?;
    let consumed = tx.consume_token(hash, &Consumed { at: now, with }).await?;
    if !(consumed && tx.advance_session(&session.id, token.generation, &request.caller, now).await?) {
        return Err(DbError::Corrupt("sessions.generation").into());
    }
    let expires_at = now.plus(app.policy.refresh_ttl);
    let stored =
        NewToken { hash: successor.hash(), session: &session.id, generation, issued_at: now, expires_at };
    tx.insert_token(&stored).await?;
    record(&mut tx, AuditEvent::Rotated, known, generation, now).await?;
    let tokens = tokens::pair(app, session, generation, successor, expires_at, now)?;
    tx.commit().await?;
    Ok(tokens)
}

/// Computes the successor again; the parent's own expiry no longer matters.
async fn repeat(
    app: &AppState,
    mut tx: Tx,
    known: &Known,
    key: Option<&IdempotencyKey>,
    now: Timestamp,
) -> Result<TokenPair, GrantError> {
    let Known { hash, token, session, replaced } = known;
    let generation = token.generation + 1;
    let lost =
        || ServerError::Unavailable("a successor can't be computed again with the keys at hand".to_owned());
    let replaced = replaced.as_ref().ok_or_else(lost)?;
    let server_key =
        replaced.consumed.with.as_ref().and_then(|with| app.keys.find(&with.server_key)).ok_or_else(lost)?;
    let successor =
        RefreshToken::successor(&server_key, uuid_of(session)?, generation, hash, key.ok_or_else(lost)?);
    if successor.hash() != replaced.successor_hash {
        return Err(lost().into());
    }
    record(&mut tx, AuditEvent::RepeatAnswered, known, generation, now).await?;
    let expires_at = replaced.successor_expires_at;
    let tokens = tokens::pair(app, session, generation, successor, expires_at, now)?;
    tx.commit().await?;
    Ok(tokens)
}

/// A replay: someone else may hold the token.
async fn raise(
    app: &AppState,
    mut tx: Tx,
    known: &Known,
    reach: AlarmReach<'_>,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<TokenPair, GrantError> {
    let Known { token, session, .. } = known;
    let ended = alarm::raise(app, &mut tx, session, reach, caller, now).await?;
    let event = match reach {
        AlarmReach::User => AuditEvent::ReplayRevokedAll,
        AlarmReach::Session | AlarmReach::Browser(_) => AuditEvent::ReplayRevokedSession,
    };
    record(&mut tx, event, known, token.generation, now).await?;
    tx.commit().await?;
    tracing::warn!(user = session.user.id, session = session.id, ended, "a refresh token was used twice");
    Err(GrantError::InvalidGrant)
}

async fn record(
    tx: &mut Tx,
    event: AuditEvent,
    known: &Known,
    generation: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let session = Some(&known.session);
    tx.record(AuditEntry { event, session, generation: Some(generation), detail: None }, now).await
}

fn uuid_of(session: &StoredSession) -> Result<Uuid, DbError> {
    Uuid::parse_str(&session.id).map_err(|_| DbError::Corrupt("sessions.id"))
}

fn refusal(decline: Decline) -> GrantError {
    match decline {
        Decline::InvalidGrant => GrantError::InvalidGrant,
        Decline::InProgress => GrantError::RotationInProgress,
        Decline::DeadlineMissed => GrantError::DeadlineMissed,
        Decline::Limited { retry_after } => {
            METRICS.ceiling_refused("rotations_per_session");
            GrantError::RateLimited { retry_after }
        }
    }
}
