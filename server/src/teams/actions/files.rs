//! The files of reports: taken in and given out. The database says yes first and the store is asked afterwards, outside
//! any transaction; what arrived counts only once the database was asked a second time.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::BoxStream;
use hyper::body::Bytes;
use uuid::Uuid;

use crate::actions::bearer_session::{BearerSession, ProbedSession, ToolRequest, first_party, probe};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::artifacts::Artifacts;
use crate::artifacts::pace::TransferPace;
use crate::artifacts::receive::{ReceiveError, receive};
use crate::artifacts::send::{CutShort, SendError, find, send};
use crate::artifacts::store::{ArtifactStoreError, ObjectKey};
use crate::artifacts::transfers::{NoSlot, TransferSlot};
use crate::db::audit::AuditEntry;
use crate::db::{Database, DbError, retry};
use crate::metrics::METRICS;
use crate::rules::audit_event::AuditEvent;
use crate::rules::file_seal::{BrokenSeal, FileSeal};
use crate::teams::actions::access::{allow, enter};
use crate::teams::actions::error::{NotReceived, TeamError};
use crate::teams::actions::reports::is_seen;
use crate::teams::db::files::ReportFile;
use crate::teams::db::workspaces::Seat;
use crate::teams::rules::manifest::ManifestFile;
use crate::teams::rules::permission::TeamAction;
use crate::time::Timestamp;

/// How much longer than the longest transfer an upload may be on its way before it is swept.
const GRACE: Duration = Duration::from_secs(3600);

/// When to try again if there is no place for a transfer.
const AGAIN: Duration = Duration::from_secs(5);

/// Which file.
#[derive(Clone, Copy, Debug)]
pub struct FilePlace {
    pub workspace: Uuid,
    pub report: Uuid,
    /// Its place in the manifest, from 1.
    pub place: i64,
}

/// Takes the content of a file in. With the last one the report is complete.
pub async fn upload<S, E>(
    request: ToolRequest<'_>,
    at: FilePlace,
    declared: Option<u64>,
    body: S,
) -> Result<(), TeamError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Send,
{
    let (app, limits) = (request.app, &request.app.limits);
    let artifacts = app.artifacts.as_ref().ok_or(TeamError::NoFiles)?;
    let (seal, user) = awaited(request, at).await?;
    if declared.is_some_and(|declared| declared != seal.size) {
        return Err(TeamError::NotReceived(NotReceived::Size));
    }
    let _slot = slot(artifacts, &format!("user {user}"))?;
    let key = ObjectKey::random();
    let due_at = app.now().plus(limits.longest_transfer.saturating_add(GRACE));
    retry(|| async {
        let mut tx = app.store.begin().await?;
        tx.announce_object(&key, due_at).await?;
        tx.commit().await
    })
    .await?;
    let pace = TransferPace::new(limits.transfer_stall, limits.longest_transfer);
    let done = match receive(&artifacts.store, &key, seal, body, pace).await {
        Ok(()) => keep(request, at, &key).await,
        Err(error) => Err(error.into()),
    };
    if done.is_err() {
        give_up(app, artifacts, &key).await;
    }
    done
}

/// The seal of a file that is awaited, and who is about to send it.
async fn awaited(request: ToolRequest<'_>, at: FilePlace) -> Result<(FileSeal, String), TeamError> {
    retry(|| async {
        let (mut bearer, seat) = enter(request, at.workspace).await?;
        let file = visible(&mut bearer, &seat, at).await?;
        allow(seat.role(), TeamAction::Write)?;
        bearer.tx.commit().await?;
        match file.object {
            Some(_) => Err(TeamError::AlreadyStored),
            None => Ok((file.file.seal, bearer.session.user.id)),
        }
    })
    .await
}

async fn visible(bearer: &mut BearerSession, seat: &Seat, at: FilePlace) -> Result<ReportFile, TeamError> {
    let report = bearer.tx.report(seat, at.report, bearer.now).await?.ok_or(TeamError::NotFound)?;
    if !is_seen(&report.head, seat.role()) {
        return Err(TeamError::NotFound);
    }
    bearer.tx.file(seat, at.report, at.place).await?.ok_or(TeamError::NotFound)
}

/// Makes what arrived the content of the file. Whoever sent it must still be allowed to; that their access token may
/// have expired meanwhile is no matter.
async fn keep(request: ToolRequest<'_>, at: FilePlace, key: &ObjectKey) -> Result<(), TeamError> {
    retry(|| async {
        let mut bearer = match probe(request.app, request.token, request.caller).await? {
            ProbedSession::Full(bearer) | ProbedSession::Expired(bearer) => bearer,
        };
        if !first_party(&bearer.session.grant) {
            return Err(TeamError::Unauthorized);
        }
        let seat = bearer.tx.seat(at.workspace, &bearer.session.user.id).await?.ok_or(TeamError::NotFound)?;
        let file = visible(&mut bearer, &seat, at).await?;
        allow(seat.role(), TeamAction::Write)?;
        if file.object.is_some() {
            return Err(TeamError::AlreadyStored);
        }
        if !bearer.tx.keep_object(&seat, at.report, at.place, key).await? {
            return Err(TeamError::NotReceived(NotReceived::Slow));
        }
        bearer.tx.complete_report(&seat, at.report).await?;
        Ok(bearer.tx.commit().await?)
    })
    .await
}

/// Has the object deleted. If the database can't be told so now, it is swept when it is due.
async fn give_up(app: &AppState, artifacts: &Artifacts, key: &ObjectKey) {
    let doomed = retry(|| async {
        let mut tx = app.store.begin().await?;
        tx.doom_object(key, app.now()).await?;
        tx.commit().await
    });
    match doomed.await {
        Ok(()) => artifacts.sweep.notify_one(),
        Err(error) => tracing::warn!(%error, "a broken upload is swept later"),
    }
}

/// A file on its way out.
pub struct Download {
    pub file: ManifestFile,
    /// Ends early, with an error, if what is stored proves damaged.
    pub content: BoxStream<'static, Result<Bytes, CutShort>>,
}

/// Gives the content of a file of a complete report out.
pub async fn download(request: ToolRequest<'_>, at: FilePlace) -> Result<Download, TeamError> {
    let (file, user) = retry(|| async {
        let (mut bearer, seat) = enter(request, at.workspace).await?;
        let report = bearer.tx.report(&seat, at.report, bearer.now).await?.ok_or(TeamError::NotFound)?;
        let file = visible(&mut bearer, &seat, at).await?;
        bearer.tx.commit().await?;
        if !report.head.is_complete() {
            return Err(TeamError::Incomplete);
        }
        Ok((file, bearer.session.user.id))
    })
    .await?;
    start(request.app, &format!("user {user}"), &at.report.to_string(), file).await
}

/// Starts to give out a file that `who` may have.
pub(super) async fn start(
    app: &AppState,
    who: &str,
    report: &str,
    file: ReportFile,
) -> Result<Download, TeamError> {
    let artifacts = app.artifacts.as_ref().ok_or(TeamError::NoFiles)?;
    let key = file.object.ok_or(TeamError::Incomplete)?;
    let slot = slot(artifacts, who)?;
    let (seal, store) = (file.file.seal, app.store.clone());
    let (now, detail) = (app.now(), format!("{report} {}", file.place));
    let object = match find(&artifacts.store, &key, seal).await {
        Ok(object) => object,
        Err(SendError::Damaged(why)) => {
            note_damage(&store, now, &detail, why).await;
            return Err(TeamError::Damaged);
        }
        Err(SendError::Store(error)) => return Err(error.into()),
        Err(SendError::Unread) => return Err(TeamError::Damaged),
    };
    let pace = TransferPace::new(app.limits.transfer_stall, app.limits.longest_transfer);
    let on_failure = async move |error| match error {
        SendError::Damaged(why) => note_damage(&store, now, &detail, why).await,
        SendError::Store(error) => {
            tracing::error!(%error, file = detail, "a file could not be sent to its end")
        }
        SendError::Unread => tracing::debug!("a file was not read to its end"),
    };
    let content = Box::pin(send(object, seal, pace, slot, on_failure));
    Ok(Download { file: file.file, content })
}

async fn note_damage(store: &Database, now: Timestamp, detail: &str, why: BrokenSeal) {
    tracing::error!(file = detail, %why, "a stored file is damaged");
    let noted: Result<(), DbError> = retry(|| async {
        let mut tx = store.begin().await?;
        let event = AuditEvent::FileDamaged;
        tx.record(AuditEntry { event, session: None, generation: None, detail: Some(detail) }, now).await?;
        tx.commit().await
    })
    .await;
    if let Err(error) = noted {
        tracing::error!(%error, "and the audit could not be told");
    }
}

fn slot(artifacts: &Artifacts, who: &str) -> Result<TransferSlot, TeamError> {
    artifacts.transfers.enter(who).map_err(|none| match none {
        NoSlot::Own => {
            METRICS.ceiling_refused("transfers_of_one");
            TeamError::RateLimited { retry_after: AGAIN }
        }
        NoSlot::All => {
            METRICS.ceiling_refused("transfers");
            TeamError::Server(ServerError::Unavailable(none.to_string()))
        }
    })
}

impl From<ArtifactStoreError> for TeamError {
    fn from(error: ArtifactStoreError) -> Self {
        Self::Server(ServerError::Unavailable(error.to_string()))
    }
}

impl From<ReceiveError> for TeamError {
    fn from(error: ReceiveError) -> Self {
        let why = match error {
            ReceiveError::Store(error) => return error.into(),
            ReceiveError::Broken(BrokenSeal::Size) => NotReceived::Size,
            ReceiveError::Broken(BrokenSeal::Digest) => NotReceived::Digest,
            ReceiveError::Interrupted => NotReceived::Interrupted,
            ReceiveError::Slow(_) => NotReceived::Slow,
        };
        Self::NotReceived(why)
    }
}
