//! Takes a file in: compared with its seal while it is written, and visible only if it fits.

use futures_util::{Stream, StreamExt as _};
use hyper::body::Bytes;
use object_store::{PutPayloadMut, WriteMultipart};

use crate::artifacts::pace::{TooSlow, TransferPace};
use crate::artifacts::store::{ArtifactStore, ArtifactStoreError, ObjectKey, PART};
use crate::rules::file_seal::{BrokenSeal, FileSeal, SealCheck};

/// A file was not taken in; nothing of it is there.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error(transparent)]
    Broken(#[from] BrokenSeal),
    #[error(transparent)]
    Slow(#[from] TooSlow),
    /// Whoever sent it went away.
    #[error("it ended early")]
    Interrupted,
    #[error(transparent)]
    Store(#[from] ArtifactStoreError),
}

/// Stores what `body` brings under `key`, if it is what the seal says.
pub async fn receive<S, E>(
    store: &ArtifactStore,
    key: &ObjectKey,
    seal: FileSeal,
    mut body: S,
    pace: TransferPace,
) -> Result<(), ReceiveError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Send,
{
    let mut incoming = Incoming { check: SealCheck::new(seal), body: &mut body, pace };
    if seal.size <= PART as u64 {
        let mut content = PutPayloadMut::new();
        while let Some(piece) = incoming.next().await? {
            content.extend_from_slice(&piece);
        }
        incoming.check.finish()?;
        store.put(key, content.freeze()).await?;
        return Ok(());
    }
    let mut upload = store.begin(key).await?;
    let done = match write(&mut upload, &mut incoming).await {
        Ok(()) => incoming.check.finish().map_err(ReceiveError::from),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => {
            upload.finish().await.map_err(ArtifactStoreError::from)?;
            Ok(())
        }
        Err(error) => {
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "what was stored of a broken upload could not be removed");
            }
            Err(error)
        }
    }
}

struct Incoming<'a, S> {
    check: SealCheck,
    body: &'a mut S,
    pace: TransferPace,
}

impl<S, E> Incoming<'_, S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    async fn next(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        let piece = self.pace.keep(self.body.next()).await?;
        let piece = piece.transpose().map_err(|_| ReceiveError::Interrupted)?;
        if let Some(piece) = &piece {
            self.check.take(piece)?;
        }
        Ok(piece)
    }
}

async fn write<S, E>(upload: &mut WriteMultipart, incoming: &mut Incoming<'_, S>) -> Result<(), ReceiveError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    while let Some(piece) = incoming.next().await? {
        // One part on its way, one being filled.
        upload.wait_for_capacity(1).await.map_err(ArtifactStoreError::from)?;
        upload.write(&piece);
    }
    Ok(())
}
