//! A device asks whether its grant was approved, and fetches its tokens.
//!
//! The tokens are given out once. If that answer is lost, the device code is used up all the same (RFC 8628 section
//! 3.5 knows no second answer): the device starts again, and nothing is revoked. The session whose tokens nobody has
//! stays in the user's list until it is revoked there or lapses.

use crate::actions::device::organisation::first_organisation;
use crate::actions::oauth;
use crate::actions::oauth::grant::{ClientGrant, GrantedTokens};
use crate::actions::server_error::ServerError;
use crate::actions::sessions::begin::{NewTokenSession, begin};
use crate::actions::sessions::tokens::TokenPair;
use crate::app::AppState;
use crate::db::devices::DeviceGrant;
use crate::db::sessions::StoredSession;
use crate::db::users::AccountStatus;
use crate::db::{DbError, Tx, retry};
use crate::rules::caller::NetworkCaller;
use crate::rules::device::{self, Asker, PollAnswer};
use crate::rules::oauth::scope::Scopes;
use crate::rules::session_kind::{ProofMethod, TokenHolder};
use crate::time::Timestamp;
use crate::tokens::device::DeviceCode;

/// What a poll is answered.
#[derive(Debug)]
pub enum PollOutcome {
    Pending,
    /// As above, and there must be five seconds more between two polls from now on.
    SlowDown,
    /// The codes' time is over.
    Expired,
    Denied,
    /// The code is not known, was given to someone else, or its tokens were fetched before.
    Unknown,
    /// Approved: the tokens of a tool of ours, this once.
    Granted(Box<DeviceTokens>),
    /// Approved: the tokens of an OAuth client, this once.
    Issued(Box<GrantedTokens>),
}

/// What an approved grant gives.
#[derive(Debug)]
pub struct DeviceTokens {
    /// The session that begins.
    pub session: StoredSession,
    pub tokens: TokenPair,
    pub at: Timestamp,
}

/// The id of the grant that this code belongs to, whatever has become of it.
pub async fn known_grant(app: &AppState, code: &DeviceCode) -> Result<Option<String>, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        Ok(tx.device_grant_by_code(&code.hash()).await?.map(|grant| grant.id))
    })
    .await
}

/// Carries one poll of `holder` out.
pub async fn poll(
    app: &AppState,
    code: &DeviceCode,
    holder: &TokenHolder,
    caller: &NetworkCaller,
) -> Result<PollOutcome, ServerError> {
    retry(|| attempt(app, code, holder, caller)).await
}

async fn attempt(
    app: &AppState,
    code: &DeviceCode,
    holder: &TokenHolder,
    caller: &NetworkCaller,
) -> Result<PollOutcome, ServerError> {
    let mut tx = app.store.begin().await?;
    let grant = tx.device_grant_by_code(&code.hash()).await?;
    let now = app.now();
    let Some(grant) = grant.filter(|grant| is_of(&grant.asker, holder)) else {
        return Ok(PollOutcome::Unknown);
    };
    let DeviceGrant { asker, state, pace, expires_at, .. } = &grant;
    match device::poll(asker, state, *pace, *expires_at, now) {
        PollAnswer::UsedUp => Ok(PollOutcome::Unknown),
        PollAnswer::Expired => Ok(PollOutcome::Expired),
        PollAnswer::Denied => Ok(PollOutcome::Denied),
        PollAnswer::Pending => {
            tx.note_poll(&grant.id, pace.interval, now).await?;
            tx.commit().await?;
            Ok(PollOutcome::Pending)
        }
        PollAnswer::SlowDown { interval } => {
            tx.note_poll(&grant.id, interval, now).await?;
            tx.commit().await?;
            Ok(PollOutcome::SlowDown)
        }
        PollAnswer::Redeem { user } => redeem(app, tx, &grant, &user, caller, now).await,
    }
}

/// Uses the grant up and begins its session, both or neither.
async fn redeem(
    app: &AppState,
    mut tx: Tx,
    grant: &DeviceGrant,
    user: &str,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<PollOutcome, ServerError> {
    let user = tx.user(user).await?.ok_or(DbError::Corrupt("device_grants.user_id"))?;
    match user.status {
        AccountStatus::Active => {}
        AccountStatus::Disabled => return Ok(PollOutcome::Denied),
    }
    if !tx.redeem_device_grant(&grant.id).await? {
        return Ok(PollOutcome::Unknown);
    }
    let polled = match &grant.asker {
        Asker::Client { id, name: _, scope } => {
            let client = tx.client(id).await?.ok_or(DbError::Corrupt("device_grants.client_id"))?;
            let granting = ClientGrant {
                user: &user,
                client: &client,
                scopes: &Scopes::read(scope),
                how: ProofMethod::Device,
                auth_time: grant.proved_at,
                approved_by: grant.decided_in.as_deref(),
                nonce: None,
                access_ttl: None,
                caller,
            };
            let (_, issued) = oauth::grant::grant(app, &mut tx, granting, now).await?;
            PollOutcome::Issued(Box::new(issued))
        }
        Asker::Achilles => {
            let granted = first_organisation(&mut tx, &user).await?;
            let (how, approved_by) = (ProofMethod::Device, grant.decided_in.as_deref());
            let wanted = NewTokenSession { user: &user, grant: &granted, how, approved_by, caller };
            let (session, tokens) = begin(app, &mut tx, wanted, now).await?;
            PollOutcome::Granted(Box::new(DeviceTokens { session, tokens, at: now }))
        }
    };
    tx.commit().await?;
    Ok(polled)
}

fn is_of(asker: &Asker, holder: &TokenHolder) -> bool {
    match (asker, holder) {
        (Asker::Achilles, TokenHolder::Cli) => true,
        (Asker::Client { id, .. }, TokenHolder::Client(client)) => id == client,
        (Asker::Achilles | Asker::Client { .. }, _) => false,
    }
}
