//! Setting a second factor up. It counts only once a code has shown that the person's app has the secret.

use crate::actions::browser::session::still_open;
use crate::actions::letters;
use crate::actions::second_factor::check::{FactorVerdict, compare, is_on};
use crate::actions::second_factor::error::SecondFactorError;
use crate::actions::second_factor::secrets::{record, renew_codes, seal_now, unseal};
use crate::app::AppState;
use crate::db::retry;
use crate::db::sessions::StoredSession;
use crate::mail::MailNotice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::tokens::totp::{FactorSecrets, RecoveryCode, SecondFactorAnswer};

/// What a code led to.
#[derive(Debug)]
pub enum Confirmation {
    /// The second factor is on. These are shown once.
    On(Vec<RecoveryCode>),
    Wrong,
}

/// Makes a secret, in place of one that was never confirmed. `AlreadyOn` if a second factor is on already.
pub async fn begin(app: &AppState, session: &StoredSession) -> Result<(), SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let (secrets, now) = (FactorSecrets::random()?, app.now());
        still_open(&mut tx, session).await?;
        if is_on(&mut tx, user).await? {
            return Err(SecondFactorError::AlreadyOn);
        }
        let (key_id, sealed) = seal_now(app, user, &secrets)?;
        tx.put_factor(user, &key_id, &sealed, now).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// The secret that waits to be confirmed; `None` if there is none.
pub async fn waiting(
    app: &AppState,
    session: &StoredSession,
) -> Result<Option<FactorSecrets>, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let factor = tx.factor_for_update(user).await?;
        tx.commit().await?;
        let waiting = factor.filter(|factor| factor.confirmed_at.is_none());
        Ok(waiting.map(|factor| unseal(app, user, &factor)).transpose()?)
    })
    .await
}

/// Confirms the secret with a code of the app. The user's other browsers are signed out: they have not shown it.
pub async fn confirm(
    app: &AppState,
    session: &StoredSession,
    answer: &SecondFactorAnswer,
    caller: &NetworkCaller,
) -> Result<Confirmation, SecondFactorError> {
    let user = &session.user.id;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        still_open(&mut tx, session).await?;
        let factor = tx.factor_for_update(user).await?.ok_or(SecondFactorError::NotFound)?;
        if factor.confirmed_at.is_some() {
            return Err(SecondFactorError::AlreadyOn);
        }
        let confirmed = match compare(app, &mut tx, user, &factor, answer, now).await? {
            FactorVerdict::Right(_) => {
                tx.confirm_factor(user, now).await?;
                tx.end_other_browsers_of(user, &session.id, now).await?;
                record(&mut tx, AuditEvent::SecondFactorOn, user, now).await?;
                let notice = MailNotice::SecondFactorOn;
                letters::write(app, &mut tx, &session.user, notice, caller, now).await?;
                Confirmation::On(renew_codes(&mut tx, user, &unseal(app, user, &factor)?).await?)
            }
            FactorVerdict::Wrong | FactorVerdict::Off => Confirmation::Wrong,
            FactorVerdict::Limited { retry_after } => {
                return Err(SecondFactorError::RateLimited { retry_after });
            }
        };
        tx.commit().await?;
        Ok(confirmed)
    })
    .await
}
