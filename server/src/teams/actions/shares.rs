//! Links that show one report to whoever holds them, and nothing else.

use uuid::Uuid;

use crate::actions::bearer_session::ToolRequest;
use crate::actions::limit::{LimitError, NetworkLimit};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, Tx, retry};
use crate::rules::address::NetworkAddress;
use crate::rules::audit_event::AuditEvent;
use crate::teams::actions::access::{allow, count_creation, enter, signed_in_lately};
use crate::teams::actions::error::TeamError;
use crate::teams::actions::files::{self, Download};
use crate::teams::actions::reports::is_seen;
use crate::teams::db::files::ReportFile;
use crate::teams::db::shares::{NewShare, Share, Shared};
use crate::teams::rules::permission::TeamAction;
use crate::teams::rules::share::{MOST_DAYS, MOST_DAYS_UNPROVED, lapse, opens};
use crate::time::Timestamp;
use crate::tokens::share::ShareToken;

/// A link that has just been made. Its token is shown this once.
#[derive(Debug)]
pub struct NewShareLink {
    pub id: String,
    pub token: ShareToken,
    pub expires_at: Timestamp,
}

/// Makes a link to one report that works for so many days.
pub async fn create(
    request: ToolRequest<'_>,
    workspace: Uuid,
    report: Uuid,
    days: i64,
) -> Result<NewShareLink, TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let found = bearer.tx.report(&seat, report, bearer.now).await?;
        let found = found.filter(|found| is_seen(&found.head, seat.role())).ok_or(TeamError::NotFound)?;
        allow(seat.role(), TeamAction::Share)?;
        if !found.head.is_complete() {
            return Err(TeamError::Incomplete);
        }
        let expires_at = lapse(days, bearer.now).ok_or_else(|| {
            TeamError::Invalid(format!("expires_in_days must be a whole number from 1 to {MOST_DAYS}"))
        })?;
        if days > MOST_DAYS_UNPROVED {
            signed_in_lately(request, &bearer)?;
        }
        count_creation(request, &mut bearer).await?;
        let token = ShareToken::random()?;
        let (maker, session) = (&bearer.session.user.id, &bearer.session.id);
        let new = NewShare { hash: token.hash(), report, maker, session, expires_at };
        let id = bearer.tx.insert_share(&seat, &new, bearer.now).await?;
        bearer.record(AuditEvent::ShareMade, &id).await?;
        bearer.tx.commit().await?;
        Ok(NewShareLink { id, token, expires_at })
    })
    .await
}

/// The links to a report, newest first, and when that was asked.
pub async fn list(
    request: ToolRequest<'_>,
    workspace: Uuid,
    report: Uuid,
) -> Result<(Vec<Share>, Timestamp), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        let found = bearer.tx.report(&seat, report, bearer.now).await?;
        found.filter(|found| is_seen(&found.head, seat.role())).ok_or(TeamError::NotFound)?;
        let shares = bearer.tx.shares_of(&seat, report).await?;
        bearer.tx.commit().await?;
        Ok((shares, bearer.now))
    })
    .await
}

/// Revokes a link, for good.
pub async fn revoke(
    request: ToolRequest<'_>,
    workspace: Uuid,
    report: Uuid,
    share: Uuid,
) -> Result<(), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, workspace).await?;
        allow(seat.role(), TeamAction::Share)?;
        let revoked = bearer.tx.revoke_share(&seat, report, share, bearer.now).await?;
        if revoked.ok_or(TeamError::NotFound)? {
            bearer.record(AuditEvent::ShareRevoked, &share.to_string()).await?;
        }
        Ok(bearer.tx.commit().await?)
    })
    .await
}

/// Opens a link. One that is lapsed, revoked, without a report or maker, or unknown is the same refusal.
pub async fn open(
    app: &AppState,
    token: &ShareToken,
    from: NetworkAddress,
) -> Result<(Shared, Vec<ReportFile>), TeamError> {
    let opened = retry(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        let found = admit(app, &mut tx, token, from, now).await?;
        let mut files = Vec::new();
        if let Some(shared) = &found {
            files = tx.shared_files(&shared.id).await?;
            note_opening(&mut tx, &shared.id, now).await?;
        }
        tx.commit().await?;
        Ok::<_, LimitError>(found.map(|shared| (shared, files)))
    })
    .await?;
    opened.ok_or(TeamError::NotFound)
}

/// Opens one file of what a link shows. It counts like opening the link, and everything that closes the link closes it.
pub async fn open_file(
    app: &AppState,
    token: &ShareToken,
    place: i64,
    from: NetworkAddress,
) -> Result<Download, TeamError> {
    let found = retry(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        let mut found = None;
        if let Some(shared) = admit(app, &mut tx, token, from, now).await? {
            let file = tx.shared_files(&shared.id).await?.into_iter().find(|file| file.place == place);
            found = file.map(|file| (shared.report, file));
            if found.is_some() {
                note_opening(&mut tx, &shared.id, now).await?;
            }
        }
        tx.commit().await?;
        Ok::<_, LimitError>(found)
    })
    .await?;
    let (report, file) = found.ok_or(TeamError::NotFound)?;
    files::start(app, &format!("network {from}"), &report, file).await
}

/// Finds what a link shows, and counts it. Each link has a count of its own in each network, and what leads nowhere has
/// another: who guesses keeps nobody from a link that they hold.
async fn admit(
    app: &AppState,
    tx: &mut Tx,
    token: &ShareToken,
    from: NetworkAddress,
    now: Timestamp,
) -> Result<Option<Shared>, LimitError> {
    let limit = app.limits.share_opens_per_ip;
    let found = tx.shared(&token.hash(), now).await?.filter(|shared| opens(shared.facts, now));
    let counted = match &found {
        Some(shared) => NetworkLimit::new(ThrottleKind::ShareOpened, from, limit).about(&shared.id),
        None => NetworkLimit::new(ThrottleKind::WrongShare, from, limit),
    };
    counted.admit(tx, now).await?;
    Ok(found)
}

async fn note_opening(tx: &mut Tx, share: &str, now: Timestamp) -> Result<(), DbError> {
    tx.count_opening(share, now).await?;
    let (event, detail) = (AuditEvent::ShareOpened, Some(share));
    tx.record(AuditEntry { event, session: None, generation: None, detail }, now).await
}
