//! What can be done: each action reads facts, asks the rules, and writes the decision in one transaction.
//! No HTTP here; every kind of route shares these.

pub mod begin;
pub mod device;
pub mod issue;
pub mod limited;
pub mod logout;
pub mod oauth;
pub mod operator;
pub mod personal_tokens;
pub mod refresh;
pub mod request_code;
pub mod second_factor;
pub mod users;
pub mod verify_code;
pub mod visit;
pub mod web;
pub mod workspaces;

use std::time::Duration;

use tokio::sync::Mutex;

use crate::db::DbError;
use crate::metrics::METRICS;
use crate::tokens::access::AccessError;

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Too often; nothing was changed.
    #[error("rate limited for {retry_after:?}")]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// What was asked makes no sense; the text, for people, says why and repeats no secret.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The login code is wrong, dead, or there is none; which one is not told.
    #[error("code rejected")]
    CodeRejected,
    /// The refresh token can't be used, now or ever.
    #[error("invalid grant")]
    InvalidGrant,
    /// An OAuth client asks for what it may not have; nothing was changed.
    #[error(transparent)]
    OAuth(#[from] oauth::Fault),
    /// The access token opens nothing.
    #[error("unauthorized")]
    Unauthorized,
    /// Another request with the same refresh token is or was just under way; nothing was changed.
    #[error("rotation in progress")]
    RotationInProgress,
    /// The request's deadline is over or too far ahead; nothing was changed.
    #[error("deadline missed")]
    DeadlineMissed,
    /// There is no such thing, or none that the asker may know of.
    #[error("not found")]
    NotFound,
    /// The asker may know of it, but not do this; the text, for people, says what is missing.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// It can't be done as things stand.
    #[error("conflict: {code}")]
    Conflict {
        /// A stable word for why.
        code: &'static str,
        /// Why, for people.
        why: &'static str,
    },
    /// The first factor was right and is not used up; a second one is missing.
    #[error("second factor required")]
    SecondFactorRequired,
    /// The first factor was right and is not used up; the second one was wrong, and is counted.
    #[error("second factor rejected")]
    SecondFactorRejected,
    /// Another transaction came first; nothing was changed, and running the action again may succeed.
    #[error("contended")]
    Contended,
    /// The server can't do it now; nothing was changed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Something failed half-way, so whether anything was changed is unknown.
    #[error("failed: {0}")]
    Failed(String),
}

/// How often an action is run again because another transaction came first.
const TRIES: u32 = 40;

/// Whose turn it is to try again: those that collided go one after the other, so that they don't collide with each
/// other for ever.
static TURN: Mutex<()> = Mutex::const_new(());

/// Runs an action until no other transaction gets in its way. The action must not have changed anything when it
/// answers `Contended`, which a rolled back transaction guarantees; nor may it call `again` itself, whose turn never comes.
pub async fn again<T, F, Fut>(mut action: F) -> Result<T, Refusal>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Refusal>>,
{
    let mut done = action().await;
    if matches!(done, Err(Refusal::Contended)) {
        METRICS.database_retried();
        let turn = TURN.lock().await;
        for nth in 1..TRIES {
            done = action().await;
            if !matches!(done, Err(Refusal::Contended)) {
                break;
            }
            METRICS.database_retried();
            tokio::time::sleep(pause(nth)).await;
        }
        drop(turn);
        if matches!(done, Err(Refusal::Contended)) {
            METRICS.database_retried_in_vain();
        }
    }
    done
}

/// A little longer each time up to 32 ms, and never the same for two that collided.
fn pause(nth: u32) -> Duration {
    let most = 2_u32.saturating_pow(nth.min(5));
    let dice = getrandom::u32().unwrap_or(nth);
    Duration::from_millis(u64::from(dice % most + 1))
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Contended(_) => Self::Contended,
            DbError::Unavailable(_) | DbError::Corrupt(_) => Self::Unavailable(error.to_string()),
            DbError::Unconfirmed(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(error: getrandom::Error) -> Self {
        Self::Unavailable(format!("no randomness: {error}"))
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unsigned => Self::Unavailable(error.to_string()),
            AccessError::Foreign => Self::Unauthorized,
        }
    }
}
