//! Exchanges an authorization code for tokens, once.

use std::time::Duration;

use crate::actions::alarm::{self, AlarmReach};
use crate::actions::limit::NetworkLimit;
use crate::actions::oauth::error::OAuthError;
use crate::actions::oauth::grant::{ClientGrant, GrantedTokens, grant};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::authorizations::Authorization;
use crate::db::clients::OAuthClient;
use crate::db::throttle::ThrottleKind;
use crate::db::users::AccountStatus;
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::rules::access::SessionStanding;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::oauth::code::{CodeDecision, CodeExchangeFacts, decide};
use crate::rules::oauth::scope::Scopes;
use crate::rules::session_kind::ProofMethod;
use crate::secret::SecretText;
use crate::time::Timestamp;

/// A code, and what proves that it is in the right hands.
#[derive(Clone, Copy, Debug)]
pub struct CodeExchange<'a> {
    /// The client, which has proved who it is.
    pub client: &'a OAuthClient,
    pub code: &'a SecretText,
    /// The redirect address that the code was sent to.
    pub redirect: &'a str,
    /// What is behind the challenge.
    pub verifier: &'a SecretText,
    /// How long the client wants the access token to work.
    pub access_ttl: Option<Duration>,
    pub caller: &'a NetworkCaller,
}

/// Exchanges the code. Whatever is wrong with it is `InvalidGrant`, and counted by network; a right one is never limited.
pub async fn redeem(app: &AppState, exchange: CodeExchange<'_>) -> Result<GrantedTokens, OAuthError> {
    retry(|| attempt(app, exchange)).await
}

async fn attempt(app: &AppState, exchange: CodeExchange<'_>) -> Result<GrantedTokens, OAuthError> {
    let mut tx = app.store.begin().await?;
    let hash = Digest::sha256(exchange.code.expose().as_bytes());
    let found = tx.authorization_for_update(&hash).await?;
    // Taken after the lock, so that waiting for it counts.
    let now = app.now();
    let limit = app.limits.code_exchanges_per_ip;
    let wrong = NetworkLimit::new(ThrottleKind::WrongCodeExchange, exchange.caller.address, limit);
    let Some(found) = found else {
        wrong.admit(&mut tx, now).await?;
        return refuse(tx, None).await;
    };
    let facts = CodeExchangeFacts {
        client: found.client == exchange.client.id,
        redirect: found.redirect == exchange.redirect,
        verifier: found.challenge.is_met_by(exchange.verifier),
        used: found.session.is_some(),
        expires_at: found.expires_at,
    };
    match (decide(facts, now), &found.session) {
        (CodeDecision::Exchange, _) => begin(app, tx, exchange, &hash, &found, now).await,
        (CodeDecision::Replay, Some(session)) => {
            replayed(app, tx, session, exchange.caller, &wrong, now).await
        }
        (CodeDecision::Replay, None) | (CodeDecision::Refuse, _) => {
            wrong.admit(&mut tx, now).await?;
            refuse(tx, Some((&found, now))).await
        }
    }
}

async fn begin(
    app: &AppState,
    mut tx: Tx,
    exchange: CodeExchange<'_>,
    hash: &Digest,
    found: &Authorization,
    now: Timestamp,
) -> Result<GrantedTokens, OAuthError> {
    let user = tx.user(&found.user).await?.ok_or(DbError::Corrupt("authorization_codes.user_id"))?;
    match user.status {
        AccountStatus::Active => {}
        AccountStatus::Disabled => return Err(OAuthError::InvalidGrant),
    }
    let granting = ClientGrant {
        user: &user,
        client: exchange.client,
        scopes: &Scopes::read(&found.scope),
        how: ProofMethod::Browser,
        auth_time: Some(found.auth_time),
        approved_by: found.approved_by.as_deref(),
        nonce: found.nonce.as_deref(),
        access_ttl: exchange.access_ttl,
        caller: exchange.caller,
    };
    let (session, issued) = grant(app, &mut tx, granting, now).await?;
    if !tx.use_authorization(hash, &session.id).await? {
        return Err(DbError::Corrupt("authorization_codes.session_id").into());
    }
    tx.commit().await?;
    Ok(issued)
}

/// Raises the alarm once. From then on the code is a wrong one like any other.
async fn replayed(
    app: &AppState,
    mut tx: Tx,
    session: &str,
    caller: &NetworkCaller,
    wrong: &NetworkLimit,
    now: Timestamp,
) -> Result<GrantedTokens, OAuthError> {
    let session =
        tx.session_for_update(session).await?.ok_or(DbError::Corrupt("authorization_codes.session_id"))?;
    if session.standing() == SessionStanding::Ended && !session.was_signed_out() {
        wrong.admit(&mut tx, now).await?;
        return refuse(tx, None).await;
    }
    alarm::raise(app, &mut tx, &session, AlarmReach::Session, caller, now).await?;
    let entry = AuditEntry {
        event: AuditEvent::CodeReplayed,
        session: Some(&session),
        generation: None,
        detail: None,
    };
    tx.record(entry, now).await?;
    tx.commit().await?;
    tracing::warn!(user = session.user.id, session = session.id, "an authorization code was used twice");
    Err(OAuthError::InvalidGrant)
}

/// Keeps only that a code was brought.
async fn refuse(mut tx: Tx, known: Option<(&Authorization, Timestamp)>) -> Result<GrantedTokens, OAuthError> {
    if let Some((found, now)) = known {
        let detail = format!("authorization code of client {}", found.client);
        let entry = AuditEntry {
            event: AuditEvent::Refused,
            session: None,
            generation: None,
            detail: Some(detail.as_str()),
        };
        tx.record(entry, now).await?;
    }
    tx.commit().await?;
    Err(OAuthError::InvalidGrant)
}
