//! Makes a personal access token.

use uuid::Uuid;

use crate::actions::limit::{self, LimitError};
use crate::app::App;
use crate::db::Tx;
use crate::db::audit::Entry;
use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::sessions::Session;
use crate::db::throttle::Kind;
use crate::rules::audit_event::AuditEvent;
use crate::rules::personal_token::{Wish, has_room};
use crate::rules::plan::Plan;
use crate::secret::SecretText;
use crate::time::Moment;
use crate::tokens::personal::PersonalToken;

/// A new token. It must only leave the server once the transaction is committed, and then only once.
#[derive(Debug)]
pub struct Made {
    /// The token itself.
    pub token: SecretText,
    /// What is kept of it.
    pub record: StoredPersonalToken,
}

/// What became of the wish for a token.
#[derive(Debug)]
pub enum Creation {
    /// It was made.
    Made(Made),
    /// The user's plan includes no further one; nothing was changed.
    PlanFull(Plan),
}

/// Makes a token for the session's user within `tx`, unless their plan is full.
pub async fn create(
    app: &App,
    tx: &mut Tx,
    session: &Session,
    wish: &Wish,
    now: Moment,
) -> Result<Creation, LimitError> {
    let user = &session.user;
    let plan = Plan::named(&user.plan);
    if !has_room(plan, tx.count_live_personal_tokens(&user.id, now).await?) {
        return Ok(Creation::PlanFull(plan));
    }
    limit::admit(tx, Kind::PersonalTokenMade, &user.id, app.limits.tokens_per_user, now).await?;
    let token = PersonalToken::random()?;
    let record = StoredPersonalToken {
        id: Uuid::new_v4().to_string(),
        user_id: user.id.clone(),
        name: wish.name().to_owned(),
        prefix: token.prefix().to_owned(),
        created_at: now,
        last_used_at: None,
        expires_at: wish.expires_at(now),
        revoked_at: None,
    };
    tx.insert_personal_token(&record, &token.hash()).await?;
    let entry = Entry {
        event: AuditEvent::PersonalTokenMade,
        session: Some(session),
        generation: None,
        detail: Some(&record.prefix),
    };
    tx.record(entry, now).await?;
    Ok(Creation::Made(Made { token: token.into_text(), record }))
}
