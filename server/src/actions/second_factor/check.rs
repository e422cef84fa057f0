//! Checks what a person answers when a second factor is asked for.

use std::time::Duration;

use crate::actions::letters;
use crate::actions::limit::room;
use crate::actions::second_factor::secrets::{record, unseal};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::Tx;
use crate::db::second_factor::StoredFactor;
use crate::db::throttle::ThrottleKind;
use crate::db::users::StoredUser;
use crate::mail::MailNotice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::rate::Rate;
use crate::time::Timestamp;
use crate::tokens::totp::SecondFactorAnswer;

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
    Limited { retry_after: Duration },
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
    /// Tells the owner by mail if a recovery code was used, once `tx` is committed.
    pub async fn notify_owner(
        self,
        app: &AppState,
        tx: &mut Tx,
        user: &StoredUser,
        caller: &NetworkCaller,
        now: Timestamp,
    ) -> Result<(), ServerError> {
        match self {
            Self::Totp => Ok(()),
            Self::Recovery => {
                let notice = MailNotice::RecoveryCodeUsed;
                Ok(letters::write(app, tx, user, notice, caller, now).await?)
            }
        }
    }
}

/// Checks an answer within `tx`, which must be committed whatever the verdict: only then a wrong answer counts and a
/// right one is used up.
pub async fn check(
    app: &AppState,
    tx: &mut Tx,
    user: &str,
    answer: &SecondFactorAnswer,
    now: Timestamp,
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
    app: &AppState,
    tx: &mut Tx,
    user: &str,
    factor: &StoredFactor,
    answer: &SecondFactorAnswer,
    now: Timestamp,
) -> Result<FactorVerdict, ServerError> {
    let limit = app.limits.second_factor_failures;
    if let Rate::Full { retry_after } = room(tx, ThrottleKind::SecondFactorFailure, user, limit, now).await? {
        return Ok(FactorVerdict::Limited { retry_after });
    }
    let secrets = unseal(app, user, factor)?;
    let right = match answer {
        SecondFactorAnswer::Totp(code) => match secrets.step(code, now) {
            Some(step) => tx.accept_step(user, step).await?,
            None => false,
        },
        SecondFactorAnswer::Recovery(code) => tx.use_recovery_code(user, &secrets.hash(code), now).await?,
    };
    if !right {
        tx.count_event(ThrottleKind::SecondFactorFailure, user, limit, now).await?;
        record(tx, AuditEvent::SecondFactorRefused, user, now).await?;
        return Ok(FactorVerdict::Wrong);
    }
    match answer {
        SecondFactorAnswer::Totp(_) => Ok(FactorVerdict::Right(FactorProof::Totp)),
        SecondFactorAnswer::Recovery(_) => {
            record(tx, AuditEvent::RecoveryCodeUsed, user, now).await?;
            Ok(FactorVerdict::Right(FactorProof::Recovery))
        }
    }
}
