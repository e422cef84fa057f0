//! Setting a second factor up. It counts only once a code has shown that the person's app has the secret.

use super::{compare, notice, record, renew_codes, seal_now, unseal};
use crate::actions::second_factor::Verdict;
use crate::actions::{Refusal, again};
use crate::app::App;
use crate::db::audit::Event;
use crate::db::sessions::Session;
use crate::mail::Notice;
use crate::tokens::totp::{Answer, FactorSecrets, RecoveryCode};

/// What a code led to.
#[derive(Debug)]
pub enum Confirmed {
    /// The second factor is on. These are shown once.
    On(Vec<RecoveryCode>),
    /// The code was wrong.
    Wrong,
}

/// Makes a secret, in place of one that was never confirmed. `Conflict` if a second factor is on already.
pub async fn begin(app: &App, session: &Session) -> Result<(), Refusal> {
    let user = &session.user.id;
    again(|| async {
        let mut tx = app.store.begin().await?;
        let (secrets, now) = (FactorSecrets::random()?, app.now());
        if super::is_on(&mut tx, user).await? {
            return Err(already_on());
        }
        let (key_id, sealed) = seal_now(app, user, &secrets)?;
        tx.put_factor(user, &key_id, &sealed, now).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// The secret that waits to be confirmed; `None` if there is none.
pub async fn waiting(app: &App, session: &Session) -> Result<Option<FactorSecrets>, Refusal> {
    let user = &session.user.id;
    again(|| async {
        let mut tx = app.store.begin().await?;
        let factor = tx.factor_for_update(user).await?;
        tx.commit().await?;
        let waiting = factor.filter(|factor| factor.confirmed_at.is_none());
        waiting.map(|factor| unseal(app, user, &factor)).transpose()
    })
    .await
}

/// Confirms the secret with a code of the app. The user's other browsers are signed out: they have not shown it.
pub async fn confirm(app: &App, session: &Session, answer: &Answer) -> Result<Confirmed, Refusal> {
    let user = &session.user.id;
    again(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        let factor = tx.factor_for_update(user).await?.ok_or(Refusal::NotFound)?;
        if factor.confirmed_at.is_some() {
            return Err(already_on());
        }
        let confirmed = match compare(app, &mut tx, user, &factor, answer, now).await? {
            Verdict::Right(_) => {
                tx.confirm_factor(user, now).await?;
                tx.end_other_browsers_of(user, &session.id, now).await?;
                record(&mut tx, Event::SecondFactorOn, user, now).await?;
                Confirmed::On(renew_codes(&mut tx, user, &unseal(app, user, &factor)?).await?)
            }
            Verdict::Wrong | Verdict::Off => Confirmed::Wrong,
            Verdict::Limited { retry_after } => return Err(Refusal::RateLimited { retry_after }),
        };
        tx.commit().await?;
        if matches!(confirmed, Confirmed::On(_)) {
            notice::tell(app, &session.user.email, Notice::SecondFactorOn);
        }
        Ok(confirmed)
    })
    .await
}

fn already_on() -> Refusal {
    Refusal::Conflict { code: "already_on", why: "A second factor is on already. Turn it off first." }
}
