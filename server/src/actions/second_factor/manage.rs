//! Looking at a second factor, turning it off, and making new recovery codes.

use crate::actions::browser::session::still_open;
use crate::actions::letters;
use crate::actions::second_factor::check::{FactorProof, FactorVerdict, check};
use crate::actions::second_factor::error::SecondFactorError;
use crate::actions::second_factor::secrets::{record, renew_codes, unseal};
use crate::app::AppState;
use crate::db::second_factor::RememberedBrowser;
use crate::db::sessions::StoredSession;
use crate::db::{Tx, retry};
use crate::mail::MailNotice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::time::Timestamp;
use crate::tokens::totp::{RecoveryCode, SecondFactorAnswer};

/// A second factor as its owner sees it.
#[derive(Clone, Debug)]
pub struct FactorOverview {
    pub since: Timestamp,
    /// How many recovery codes are left.
    pub codes_left: i64,
    /// The browsers that are spared it, the latest used first.
    pub browsers: Vec<RememberedBrowser>,
}

/// The user's second factor; `None` if it is off.
pub async fn overview(
    app: &AppState,
    session: &StoredSession,
) -> Result<Option<FactorOverview>, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let since = tx.factor_for_update(user).await?.and_then(|factor| factor.confirmed_at);
        let overview = match since {
            None => None,
            Some(since) => Some(FactorOverview {
                since,
                codes_left: tx.recovery_codes_left(user).await?,
                browsers: tx.remembered_of(user, app.now()).await?,
            }),
        };
        tx.commit().await?;
        Ok(overview)
    })
    .await
}

/// Turns it off, with its recovery codes and remembered browsers, if the answer is right. `false` if it is wrong.
pub async fn turn_off(
    app: &AppState,
    session: &StoredSession,
    answer: &SecondFactorAnswer,
    caller: &NetworkCaller,
) -> Result<bool, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let (mut tx, now) = (app.store.begin().await?, app.now());
        still_open(&mut tx, session).await?;
        let proof = prove(app, &mut tx, user, answer, now).await?;
        if proof.is_some() {
            tx.delete_factor(user).await?;
            record(&mut tx, AuditEvent::SecondFactorOff, user, now).await?;
            let notice = MailNotice::SecondFactorOff;
            letters::write(app, &mut tx, &session.user, notice, caller, now).await?;
        }
        tx.commit().await?;
        Ok(proof.is_some())
    })
    .await
}

/// Makes new recovery codes in place of all earlier ones and forgets every remembered browser, if the answer is
/// right. `None` if it is wrong.
pub async fn renew(
    app: &AppState,
    session: &StoredSession,
    answer: &SecondFactorAnswer,
    caller: &NetworkCaller,
) -> Result<Option<Vec<RecoveryCode>>, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let (mut tx, now) = (app.store.begin().await?, app.now());
        still_open(&mut tx, session).await?;
        let mut codes = None;
        if let Some(proof) = prove(app, &mut tx, user, answer, now).await? {
            let factor = tx.factor_for_update(user).await?.ok_or(SecondFactorError::NotFound)?;
            codes = Some(renew_codes(&mut tx, user, &unseal(app, user, &factor)?).await?);
            tx.forget_all_remembered(user).await?;
            record(&mut tx, AuditEvent::RecoveryCodesRenewed, user, now).await?;
            proof.notify_owner(app, &mut tx, &session.user, caller, now).await?;
            let notice = MailNotice::RecoveryCodesRenewed;
            letters::write(app, &mut tx, &session.user, notice, caller, now).await?;
        }
        tx.commit().await?;
        Ok(codes)
    })
    .await
}

async fn prove(
    app: &AppState,
    tx: &mut Tx,
    user: &str,
    answer: &SecondFactorAnswer,
    now: Timestamp,
) -> Result<Option<FactorProof>, SecondFactorError> {
    match check(app, tx, user, answer, now).await? {
        FactorVerdict::Right(proof) => Ok(Some(proof)),
        FactorVerdict::Wrong => Ok(None),
        FactorVerdict::Off => Err(SecondFactorError::NotFound),
        FactorVerdict::Limited { retry_after } => Err(SecondFactorError::RateLimited { retry_after }),
    }
}
