//! A person approves or denies a grant.

use crate::actions::browser::session::still_open;
use crate::actions::limit::{self, LimitError};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::devices::DeviceGrant;
use crate::db::retry;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::rules::audit_event::AuditEvent;
use crate::rules::device::{DecisionRuling, DeviceDecision, rule};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// Their session on this server's pages.
    pub session: &'a StoredSession,
    /// When they last proved who they are.
    pub proved_at: Timestamp,
}

/// What became of a verdict.
#[derive(Debug)]
pub enum DecisionOutcome {
    /// It stands, from now on or since earlier.
    Stands(Box<DeviceGrant>),
    /// The grant was decided otherwise, or by someone else; nothing was changed.
    Otherwise,
    /// The grant's time is over; nothing was changed.
    Expired,
    /// There is no such grant (any more).
    Unknown,
}

/// Writes a verdict down. Whoever calls this has shown them the grant with this id.
pub async fn decide(
    app: &AppState,
    judge: Decider<'_>,
    id: &str,
    verdict: DeviceDecision,
) -> Result<DecisionOutcome, LimitError> {
    retry(|| attempt(app, judge, id, verdict)).await
}

async fn attempt(
    app: &AppState,
    judge: Decider<'_>,
    id: &str,
    verdict: DeviceDecision,
) -> Result<DecisionOutcome, LimitError> {
    let Decider { session, proved_at } = judge;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let session = &still_open(&mut tx, session).await?;
    let Some(grant) = tx.device_grant_for_update(id).await? else { return Ok(DecisionOutcome::Unknown) };
    match rule(&grant.state, &session.user.id, verdict, grant.expires_at, now) {
        DecisionRuling::SaidBefore => Ok(DecisionOutcome::Stands(Box::new(grant))),
        DecisionRuling::Decided => Ok(DecisionOutcome::Otherwise),
        DecisionRuling::Expired => Ok(DecisionOutcome::Expired),
        DecisionRuling::Counts => {
            if verdict == DeviceDecision::Approve {
                let (kind, limit) = (ThrottleKind::Consent, app.limits.consents_per_user);
                limit::admit(&mut tx, kind, &session.user.id, limit, now).await?;
            }
            if !tx.decide_device_grant(id, verdict, session, proved_at, now).await? {
                return Err(ServerError::Contended.into());
            }
            let event = match verdict {
                DeviceDecision::Approve => AuditEvent::DeviceApproved,
                DeviceDecision::Deny => AuditEvent::DeviceDenied,
            };
            tx.record(AuditEntry { event, session: Some(session), generation: None, detail: None }, now)
                .await?;
            tx.commit().await?;
            Ok(DecisionOutcome::Stands(Box::new(grant)))
        }
    }
}
