//! Makes a personal access token.

use uuid::Uuid;

use crate::actions::letters;
use crate::actions::limit::{self, LimitError};
use crate::actions::second_factor::check::{self, FactorVerdict};
use crate::app::AppState;
use crate::db::Tx;
use crate::db::audit::AuditEntry;
use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::mail::MailNotice;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::personal_token::{PersonalTokenRequest, has_room};
use crate::rules::plan::Plan;
use crate::rules::second_factor::recent;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::personal::PersonalToken;
use crate::tokens::totp::SecondFactorAnswer;

/// A new token. It must only leave the server once the transaction is committed, and then only once.
#[derive(Debug)]
pub struct NewPersonalToken {
    /// The token itself.
    pub token: SecretText,
    /// What is kept of it.
    pub record: StoredPersonalToken,
}

/// Who asks for a token, and what proves them. A token outlives the session, so holding the session is not enough.
#[derive(Clone, Copy, Debug)]
pub struct TokenAsker<'a> {
    pub session: &'a StoredSession,
    /// When they last proved who they are.
    pub proved_at: Timestamp,
    /// What their app shows, or a recovery code.
    pub second: Option<&'a SecondFactorAnswer>,
    pub caller: &'a NetworkCaller,
}

/// What became of the request for a token. `tx` must be committed whichever it is: a wrong answer counts.
#[derive(Debug)]
pub enum TokenCreation {
    Made(NewPersonalToken),
    /// The user's plan includes no further one.
    PlanFull(Plan),
    /// The last sign-in was too long ago.
    Stale,
    /// The second factor is missing.
    SecondFactorMissing,
    /// The second factor was wrong.
    SecondFactorWrong,
}

/// Makes a token for the session's user within `tx`, unless their plan is full or they have not proved enough.
pub async fn create(
    app: &AppState,
    tx: &mut Tx,
    asker: TokenAsker<'_>,
    request: &PersonalTokenRequest,
    now: Timestamp,
) -> Result<TokenCreation, LimitError> {
    let TokenAsker { session, proved_at, second, caller } = asker;
    let user = &session.user;
    if !recent(proved_at, app.limits.fresh_sign_in, now) {
        return Ok(TokenCreation::Stale);
    }
    let plan = Plan::named(&user.plan);
    if !has_room(plan, tx.count_live_personal_tokens(&user.id, now).await?) {
        return Ok(TokenCreation::PlanFull(plan));
    }
    match second {
        None if check::is_on(tx, &user.id).await? => return Ok(TokenCreation::SecondFactorMissing),
        None => {}
        Some(answer) => match check::check(app, tx, &user.id, answer, now).await? {
            FactorVerdict::Off => {}
            FactorVerdict::Right(proof) => {
                proof.notify_owner(app, tx, user, caller, now).await?;
            }
            FactorVerdict::Wrong => return Ok(TokenCreation::SecondFactorWrong),
            FactorVerdict::Limited { retry_after } => return Err(LimitError::RateLimited { retry_after }),
        },
    }
    limit::admit(tx, ThrottleKind::PersonalTokenMade, &user.id, app.limits.tokens_per_user, now).await?;
    let token = PersonalToken::random()?;
    let record = StoredPersonalToken {
        id: Uuid::new_v4().to_string(),
        user_id: user.id.clone(),
        name: request.name().to_owned(),
        prefix: token.prefix().to_owned(),
        created_at: now,
        last_used_at: None,
        expires_at: request.expires_at(app.limits.token_lapse, now),
        revoked_at: None,
        session_id: Some(session.id.clone()),
    };
    tx.insert_personal_token(&record, &token.hash()).await?;
    let entry = AuditEntry {
        event: AuditEvent::PersonalTokenMade,
        session: Some(session),
        generation: None,
        detail: Some(&record.prefix),
    };
    tx.record(entry, now).await?;
    let notice = MailNotice::TokenMade {
        name: record.name.clone(),
        prefix: record.prefix.clone(),
        expires_at: record.expires_at,
    };
    letters::write(app, tx, user, notice, caller, now).await?;
    Ok(TokenCreation::Made(NewPersonalToken { token: token.into_text(), record }))
}
