//! A person approves or denies a grant.

use crate::actions::server_error::ServerError;
use crate::app::App;
use crate::db::audit::Entry;
use crate::db::devices::DeviceGrant;
use crate::db::retry;
use crate::db::sessions::Session;
use crate::rules::audit_event::AuditEvent;
use crate::rules::device::{Ruling, Verdict, rule};
use crate::time::Moment;

/// Who decides.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// Their session on this server's pages.
    pub session: &'a Session,
    /// When they last proved who they are.
    pub proved_at: Moment,
}

/// What became of a verdict.
#[derive(Debug)]
pub enum Decided {
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
pub async fn decide(app: &App, judge: Judge<'_>, id: &str, verdict: Verdict) -> Result<Decided, ServerError> {
    retry(|| attempt(app, judge, id, verdict)).await
}

async fn attempt(app: &App, judge: Judge<'_>, id: &str, verdict: Verdict) -> Result<Decided, ServerError> {
    let Judge { session, proved_at } = judge;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let Some(grant) = tx.device_grant_for_update(id).await? else { return Ok(Decided::Unknown) };
    match rule(&grant.state, &session.user.id, verdict, grant.expires_at, now) {
        Ruling::SaidBefore => Ok(Decided::Stands(Box::new(grant))),
        Ruling::Decided => Ok(Decided::Otherwise),
        Ruling::Expired => Ok(Decided::Expired),
        Ruling::Counts => {
            if !tx.decide_device_grant(id, verdict, &session.user.id, proved_at, now).await? {
                return Err(ServerError::Contended);
            }
            let event = match verdict {
                Verdict::Approve => AuditEvent::DeviceApproved,
                Verdict::Deny => AuditEvent::DeviceDenied,
            };
            tx.record(Entry { event, session: Some(session), generation: None, detail: None }, now).await?;
            tx.commit().await?;
            Ok(Decided::Stands(Box::new(grant)))
        }
    }
}
