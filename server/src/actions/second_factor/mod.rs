//! The second factor: an authenticator app (RFC 6238), and recovery codes for when it is gone.

pub mod browsers;
pub mod enrol;
pub mod manage;
pub mod notice;
pub mod upkeep;

use std::time::Duration;

use super::Refusal;
use super::limited::room;
use crate::app::App;
use crate::db::audit::{Entry, Event};
use crate::db::second_factor::Factor;
use crate::db::throttle::Kind;
use crate::db::{DbError, Tx};
use crate::keys::seal::{self, NotSealed};
use crate::mail::Notice;
use crate::rules::rate::Rate;
use crate::time::Moment;
use crate::tokens::totp::{Answer, FactorSecrets, RECOVERY_CODES, RecoveryCode};

/// What secrets are sealed for: they open for nothing else.
const PURPOSE: &str = "second factor";

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The user has no second factor: nothing was asked for.
    Off,
    /// It was right, and is used up.
    Right(Proof),
    /// It was wrong, or used before; it is counted.
    Wrong,
    /// There were too many wrong ones; it was not looked at.
    Limited {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// What a right answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A code of the app.
    Totp,
    /// A recovery code, whose owner must be told.
    Recovery,
}

impl Proof {
    /// Tells the owner by mail if a recovery code was used, once that is committed.
    pub fn tell(self, app: &App, address: &str) {
        match self {
            Self::Totp => {}
            Self::Recovery => notice::tell(app, address, Notice::RecoveryCodeUsed),
        }
    }
}

/// Checks an answer within `tx`, which must be committed whatever the verdict: only then a wrong answer counts and a
/// right one is used up.
pub async fn check(
    app: &App,
    tx: &mut Tx,
    user: &str,
    answer: &Answer,
    now: Moment,
) -> Result<Verdict, Refusal> {
    match tx.factor_for_update(user).await?.filter(|factor| factor.confirmed_at.is_some()) {
        Some(factor) => compare(app, tx, user, &factor, answer, now).await,
        None => Ok(Verdict::Off),
    }
}

/// Whether an email code is not enough for this user.
pub async fn is_on(tx: &mut Tx, user: &str) -> Result<bool, Refusal> {
    Ok(tx.factor_for_update(user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

async fn compare(
    app: &App,
    tx: &mut Tx,
    user: &str,
    factor: &Factor,
    answer: &Answer,
    now: Moment,
) -> Result<Verdict, Refusal> {
    let limit = app.limits.second_factor_failures;
    if let Rate::Full { retry_after } = room(tx, Kind::SecondFactorFailure, user, limit, now).await? {
        return Ok(Verdict::Limited { retry_after });
    }
    let secrets = unseal(app, user, factor)?;
    let right = match answer {
        Answer::Totp(code) => match secrets.step(code, now) {
            Some(step) => tx.accept_step(user, step).await?,
            None => false,
        },
        Answer::Recovery(code) => tx.use_recovery_code(user, &secrets.hash(code), now).await?,
    };
    if !right {
        tx.count_event(Kind::SecondFactorFailure, user, limit, now).await?;
        record(tx, Event::SecondFactorRefused, user, now).await?;
        return Ok(Verdict::Wrong);
    }
    match answer {
        Answer::Totp(_) => Ok(Verdict::Right(Proof::Totp)),
        Answer::Recovery(_) => {
            record(tx, Event::RecoveryCodeUsed, user, now).await?;
            Ok(Verdict::Right(Proof::Recovery))
        }
    }
}

/// Audits something about a user's second factor, within `tx`.
async fn record(tx: &mut Tx, event: Event, user: &str, now: Moment) -> Result<(), Refusal> {
    let entry = Entry { event, session: None, generation: None, detail: Some(user) };
    Ok(tx.record(entry, now).await?)
}

/// Makes fresh recovery codes within `tx`, in place of all earlier ones. They are shown once.
async fn renew_codes(tx: &mut Tx, user: &str, secrets: &FactorSecrets) -> Result<Vec<RecoveryCode>, Refusal> {
    let codes = (0..RECOVERY_CODES).map(|_| RecoveryCode::random()).collect::<Result<Vec<_>, _>>()?;
    let hashes: Vec<_> = codes.iter().map(|code| secrets.hash(code)).collect();
    tx.put_recovery_codes(user, &hashes).await?;
    Ok(codes)
}

fn unseal(app: &App, user: &str, factor: &Factor) -> Result<FactorSecrets, Refusal> {
    let key = app.keys.find(&factor.key_id).ok_or_else(|| {
        Refusal::Unavailable(format!("the keys {} that seal a second factor are gone", factor.key_id))
    })?;
    let opened = seal::open(&key, PURPOSE, user, &factor.sealed);
    let secrets = opened.and_then(|bytes| FactorSecrets::from_bytes(&bytes));
    Ok(secrets.ok_or(DbError::Corrupt("second_factors.sealed"))?)
}

/// The id of the current key, and the secrets sealed under it.
fn seal_now(app: &App, user: &str, secrets: &FactorSecrets) -> Result<(String, Vec<u8>), Refusal> {
    let key = app.keys.current();
    Ok((key.id.clone(), seal::seal(&key, PURPOSE, user, &secrets.to_bytes())?))
}

impl From<NotSealed> for Refusal {
    fn from(error: NotSealed) -> Self {
        Self::Unavailable(error.to_string())
    }
}
