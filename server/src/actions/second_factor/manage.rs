//! Looking at a second factor, turning it off, and making new recovery codes.

use crate::actions::second_factor::check::{FactorProof, FactorVerdict, check};
use crate::actions::second_factor::error::SecondFactorError;
use crate::actions::second_factor::notice;
use crate::actions::second_factor::secrets::{record, renew_codes, unseal};
use crate::app::App;
use crate::db::second_factor::Remembered;
use crate::db::sessions::Session;
use crate::db::{Tx, retry};
use crate::mail::Notice;
use crate::rules::audit_event::AuditEvent;
use crate::time::Moment;
use crate::tokens::totp::{Answer, RecoveryCode};

/// A second factor as its owner sees it.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Since when it is on.
    pub since: Moment,
    /// How many recovery codes are left.
    pub codes_left: i64,
    /// The browsers that are spared it, the latest used first.
    pub browsers: Vec<Remembered>,
}

/// The user's second factor; `None` if it is off.
pub async fn overview(app: &App, session: &Session) -> Result<Option<Overview>, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let since = tx.factor_for_update(user).await?.and_then(|factor| factor.confirmed_at);
        let overview = match since {
            None => None,
            Some(since) => Some(Overview {
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
pub async fn turn_off(app: &App, session: &Session, answer: &Answer) -> Result<bool, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let (mut tx, now) = (app.store.begin().await?, app.now());
        let proof = prove(app, &mut tx, user, answer, now).await?;
        if proof.is_some() {
            tx.delete_factor(user).await?;
            record(&mut tx, AuditEvent::SecondFactorOff, user, now).await?;
        }
        tx.commit().await?;
        if proof.is_some() {
            notice::tell(app, &session.user.email, Notice::SecondFactorOff);
        }
        Ok(proof.is_some())
    })
    .await
}

/// Makes new recovery codes in place of all earlier ones and forgets every remembered browser, if the answer is
/// right. `None` if it is wrong.
pub async fn renew(
    app: &App,
    session: &Session,
    answer: &Answer,
) -> Result<Option<Vec<RecoveryCode>>, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let (mut tx, now) = (app.store.begin().await?, app.now());
        let mut codes = None;
        let proof = prove(app, &mut tx, user, answer, now).await?;
        if proof.is_some() {
            let factor = tx.factor_for_update(user).await?.ok_or(SecondFactorError::NotFound)?;
            codes = Some(renew_codes(&mut tx, user, &unseal(app, user, &factor)?).await?);
            tx.forget_all_remembered(user).await?;
            record(&mut tx, AuditEvent::RecoveryCodesRenewed, user, now).await?;
        }
        tx.commit().await?;
        if let Some(proof) = proof {
            proof.tell(app, &session.user.email);
        }
        Ok(codes)
    })
    .await
}

async fn prove(
    app: &App,
    tx: &mut Tx,
    user: &str,
    answer: &Answer,
    now: Moment,
) -> Result<Option<FactorProof>, SecondFactorError> {
    match check(app, tx, user, answer, now).await? {
        FactorVerdict::Right(proof) => Ok(Some(proof)),
        FactorVerdict::Wrong => Ok(None),
        FactorVerdict::Off => Err(SecondFactorError::NotFound),
        FactorVerdict::Limited { retry_after } => Err(SecondFactorError::RateLimited { retry_after }),
    }
}
