//! Makes a personal access token.

use uuid::Uuid;

use crate::actions::limit::{self, LimitError};
use crate::app::AppState;
use crate::db::Tx;
use crate::db::audit::AuditEntry;
use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::rules::audit_event::AuditEvent;
use crate::rules::personal_token::{PersonalTokenRequest, has_room};
use crate::rules::plan::Plan;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::personal::PersonalToken;

/// A new token. It must only leave the server once the transaction is committed, and then only once.
#[derive(Debug)]
pub struct NewPersonalToken {
    /// The token itself.
    pub token: SecretText,
    /// What is kept of it.
    pub record: StoredPersonalToken,
}

/// What became of the request for a token.
#[derive(Debug)]
pub enum TokenCreation {
    Made(NewPersonalToken),
    /// The user's plan includes no further one; nothing was changed.
    PlanFull(Plan),
}

/// Makes a token for the session's user within `tx`, unless their plan is full.
pub async fn create(
    app: &AppState,
    tx: &mut Tx,
    session: &StoredSession,
    request: &PersonalTokenRequest,
    now: Timestamp,
) -> Result<TokenCreation, LimitError> {
    let user = &session.user;
    let plan = Plan::named(&user.plan);
    if !has_room(plan, tx.count_live_personal_tokens(&user.id, now).await?) {
        return Ok(TokenCreation::PlanFull(plan));
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
        expires_at: request.expires_at(now),
        revoked_at: None,
    };
    tx.insert_personal_token(&record, &token.hash()).await?;
    let entry = AuditEntry {
        event: AuditEvent::PersonalTokenMade,
        session: Some(session),
        generation: None,
        detail: Some(&record.prefix),
    };
    tx.record(entry, now).await?;
    Ok(TokenCreation::Made(NewPersonalToken { token: token.into_text(), record }))
}
