//! Checks what a person answers when a second factor is asked for.

use std::time::Duration;

use crate::actions::limit::room;
use crate::actions::second_factor::notice;
use crate::actions::second_factor::secrets::{record, unseal};
use crate::actions::server_error::ServerError;
use crate::app::App;
use crate::db::Tx;
use crate::db::second_factor::Factor;
use crate::db::throttle::Kind;
use crate::mail::Notice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::rate::Rate;
use crate::time::Moment;
use crate::tokens::totp::Answer;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorVerdict {
    /// The user has no second factor: nothing was asked for.
    Off,
    /// It was right, and is used up.
    Right(FactorProof),
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
pub enum FactorProof {
    /// A code of the app.
    Totp,
    /// A recovery code, whose owner must be told.
    Recovery,
}

impl FactorProof {
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
) -> Result<FactorVerdict, ServerError> {
    match tx.factor_for_update(user).await?.filter(|factor| factor.confirmed_at.is_some()) {
        Some(factor) => compare(app, tx, user, &factor, answer, now).await,
        None => Ok(FactorVerdict::Off),
    }
}

/// Whether an email code is not enough for this user.
pub async fn is_on(tx: &mut Tx, user: &str) -> Result<bool, ServerError> {
    Ok(tx.factor_for_update(user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

pub(super) async fn compare(
    app: &App,
    tx: &mut Tx,
    user: &str,
    factor: &Factor,
    answer: &Answer,
    now: Moment,
) -> Result<FactorVerdict, ServerError> {
    let limit = app.limits.second_factor_failures;
    if let Rate::Full { retry_after } = room(tx, Kind::SecondFactorFailure, user, limit, now).await? {
        return Ok(FactorVerdict::Limited { retry_after });
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
        record(tx, AuditEvent::SecondFactorRefused, user, now).await?;
        return Ok(FactorVerdict::Wrong);
    }
    match answer {
        Answer::Totp(_) => Ok(FactorVerdict::Right(FactorProof::Totp)),
        Answer::Recovery(_) => {
            record(tx, AuditEvent::RecoveryCodeUsed, user, now).await?;
            Ok(FactorVerdict::Right(FactorProof::Recovery))
        }
    }
}
