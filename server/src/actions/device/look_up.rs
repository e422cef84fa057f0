//! Finds the grant whose user code a signed-in person typed. A wrong, an expired and a used code take the same steps
//! and are the same answer, and few wrong ones are allowed.

use crate::actions::limit::{self, LimitError, NetworkLimit};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::devices::DeviceGrant;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, Tx, retry};
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::device::DeviceGrantState;
use crate::rules::rate::{self, Rate};
use crate::time::Timestamp;
use crate::tokens::device::UserCode;

/// What a user code led to.
#[derive(Debug)]
pub enum LookUpOutcome {
    /// A grant that waits for a verdict.
    Found(Box<DeviceGrant>),
    /// Nothing: the code is wrong, expired or used. This counts as one wrong code of the user and of the network.
    Nothing,
}

/// Looks a user code up. `RateLimited` if there were too many wrong ones of this user lately, or far too many from this
/// network, even if this one is right: else it could be guessed on. Who has typed no wrong one lately is not held by what
/// others in the network typed, unless theirs is wrong, too.
pub async fn look_up(
    app: &AppState,
    session: &StoredSession,
    code: &UserCode,
    caller: &NetworkCaller,
) -> Result<LookUpOutcome, LimitError> {
    retry(|| attempt(app, session, code, caller)).await
}

async fn attempt(
    app: &AppState,
    session: &StoredSession,
    code: &UserCode,
    caller: &NetworkCaller,
) -> Result<LookUpOutcome, LimitError> {
    let user = session.user.id.as_str();
    let (of_user, per_user) = (ThrottleKind::WrongUserCodeOfUser, app.limits.wrong_user_codes_per_user);
    let per_network = app.limits.wrong_user_codes_per_ip;
    let network = NetworkLimit::new(ThrottleKind::WrongUserCodeFromIp, caller.address, per_network);
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let rate = limit::room(&mut tx, of_user, user, per_user, now).await?;
    let crowd = network.room(&mut tx, now).await?;
    let last = tx.nth_newest(of_user, user, 1).await?;
    let is_first = rate::check(per_user, last, now) == Rate::Open;
    if let Rate::Full { retry_after } = if is_first { rate } else { rate.and(crowd) } {
        return Err(LimitError::RateLimited { retry_after });
    }
    if let Some(grant) = find(app, &mut tx, code, now).await? {
        return Ok(LookUpOutcome::Found(Box::new(grant)));
    }
    tx.count_event(of_user, user, per_user, now).await?;
    if let Rate::Full { retry_after } = crowd {
        tx.commit().await?;
        return Err(LimitError::RateLimited { retry_after });
    }
    network.count(&mut tx, now).await?;
    let entry = AuditEntry {
        event: AuditEvent::UserCodeRefused,
        session: Some(session),
        generation: None,
        detail: None,
    };
    tx.record(entry, now).await?;
    tx.commit().await?;
    Ok(LookUpOutcome::Nothing)
}

/// The grant that waits under this code, whichever server key its hash was made with.
async fn find(
    app: &AppState,
    tx: &mut Tx,
    code: &UserCode,
    now: Timestamp,
) -> Result<Option<DeviceGrant>, DbError> {
    let mut found = None;
    for key in app.keys.all() {
        let grant = tx.device_grant_by_user_code(&code.hash(&key)).await?;
        let waits = |grant: &DeviceGrant| grant.state == DeviceGrantState::Pending && now < grant.expires_at;
        found = found.or(grant.filter(waits));
    }
    Ok(found)
}
