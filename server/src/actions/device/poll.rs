//! A device asks whether its grant was approved, and fetches its tokens.
//!
//! The tokens are given out once. If that answer is lost, the device code is used up all the same (RFC 8628 section
//! 3.5 knows no second answer): the device starts again, and nothing is revoked. The session whose tokens nobody has
//! stays in the user's list until it is revoked there or lapses.

use crate::actions::device::organisation::first_organisation;
use crate::actions::oauth;
use crate::actions::oauth::grant::{Granting, Issued};
use crate::actions::server_error::ServerError;
use crate::actions::sessions::begin::{NewTokenSession, begin};
use crate::actions::sessions::tokens::TokenPair;
use crate::app::App;
use crate::db::devices::DeviceGrant;
use crate::db::sessions::Session;
use crate::db::users::Status;
use crate::db::{DbError, Tx, retry};
use crate::rules::caller::Caller;
use crate::rules::device::{self, Answer, Asker};
use crate::rules::grant::{Holder, How};
use crate::rules::oauth::scope::Scopes;
use crate::time::Moment;
use crate::tokens::device::DeviceCode;

/// What a poll is answered.
#[derive(Debug)]
pub enum Polled {
    /// Nobody has decided yet.
    Pending,
    /// As above, and there must be five seconds more between two polls from now on.
    SlowDown,
    /// The codes' time is over.
    Expired,
    /// A person denied it.
    Denied,
    /// The code is not known, was given to someone else, or its tokens were fetched before.
    Unknown,
    /// Approved: the tokens of a tool of ours, this once.
    Granted(Box<Granted>),
    /// Approved: the tokens of an OAuth client, this once.
    Issued(Box<Issued>),
}

/// What an approved grant gives.
#[derive(Debug)]
pub struct Granted {
    /// The session that begins.
    pub session: Session,
    /// Its first tokens.
    pub tokens: TokenPair,
    /// When they are issued.
    pub at: Moment,
}

/// Carries one poll of `holder` out.
pub async fn poll(
    app: &App,
    code: &DeviceCode,
    holder: &Holder,
    caller: &Caller,
) -> Result<Polled, ServerError> {
    retry(|| attempt(app, code, holder, caller)).await
}

async fn attempt(
    app: &App,
    code: &DeviceCode,
    holder: &Holder,
    caller: &Caller,
) -> Result<Polled, ServerError> {
    let mut tx = app.store.begin().await?;
    let grant = tx.device_grant_by_code(&code.hash()).await?;
    let now = app.now();
    let Some(grant) = grant.filter(|grant| is_of(&grant.asker, holder)) else { return Ok(Polled::Unknown) };
    let DeviceGrant { asker, state, pace, expires_at, .. } = &grant;
    match device::poll(asker, state, *pace, *expires_at, now) {
        Answer::UsedUp => Ok(Polled::Unknown),
        Answer::Expired => Ok(Polled::Expired),
        Answer::Denied => Ok(Polled::Denied),
        Answer::Pending => {
            tx.note_poll(&grant.id, pace.interval, now).await?;
            tx.commit().await?;
            Ok(Polled::Pending)
        }
        Answer::SlowDown { interval } => {
            tx.note_poll(&grant.id, interval, now).await?;
            tx.commit().await?;
            Ok(Polled::SlowDown)
        }
        Answer::Redeem { user } => redeem(app, tx, &grant, &user, caller, now).await,
    }
}

/// Uses the grant up and begins its session, both or neither.
async fn redeem(
    app: &App,
    mut tx: Tx,
    grant: &DeviceGrant,
    user: &str,
    caller: &Caller,
    now: Moment,
) -> Result<Polled, ServerError> {
    let user = tx.user(user).await?.ok_or(DbError::Corrupt("device_grants.user_id"))?;
    match user.status {
        Status::Active => {}
        Status::Disabled => return Ok(Polled::Denied),
    }
    if !tx.redeem_device_grant(&grant.id).await? {
        return Ok(Polled::Unknown);
    }
    let polled = match &grant.asker {
        Asker::Client { id, name: _, scope } => {
            let client = tx.client(id).await?.ok_or(DbError::Corrupt("device_grants.client_id"))?;
            let granting = Granting {
                user: &user,
                client: &client,
                scopes: &Scopes::read(scope),
                how: How::Device,
                auth_time: grant.proved_at,
                nonce: None,
                access_ttl: None,
                caller,
            };
            let (_, issued) = oauth::grant::grant(app, &mut tx, granting, now).await?;
            Polled::Issued(Box::new(issued))
        }
        Asker::Achilles => {
            let granted = first_organisation(&mut tx, &user).await?;
            let wanted = NewTokenSession { user: &user, grant: &granted, how: How::Device, caller };
            let (session, tokens) = begin(app, &mut tx, wanted, now).await?;
            Polled::Granted(Box::new(Granted { session, tokens, at: now }))
        }
    };
    tx.commit().await?;
    Ok(polled)
}

fn is_of(asker: &Asker, holder: &Holder) -> bool {
    match (asker, holder) {
        (Asker::Achilles, Holder::Cli) => true,
        (Asker::Client { id, .. }, Holder::Client(client)) => id == client,
        (Asker::Achilles | Asker::Client { .. }, _) => false,
    }
}
