//! Gives a file out: compared with its seal while it is sent. Its last piece waits until all of it has proved right, so
//! that whoever asked never takes a damaged file for a whole one.

use futures_util::{Stream, StreamExt as _, stream};
use hyper::body::Bytes;
use object_store::GetResult;
use tokio::sync::mpsc::{self, Sender};

use crate::artifacts::pace::TransferPace;
use crate::artifacts::store::{ArtifactStore, ArtifactStoreError, ObjectKey};
use crate::rules::file_seal::{BrokenSeal, FileSeal, SealCheck};

/// A file that is going out, or can't.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// What is stored is not what was sent once.
    #[error("the stored file is damaged: {0}")]
    Damaged(#[from] BrokenSeal),
    #[error(transparent)]
    Store(#[from] ArtifactStoreError),
    /// Whoever reads went away, or is too slow.
    #[error("nobody reads it")]
    Unread,
}

/// Finds the object. One that is gone or of another size is damaged.
pub async fn find(store: &ArtifactStore, key: &ObjectKey, seal: FileSeal) -> Result<GetResult, SendError> {
    match store.get(key).await {
        Ok(object) if object.meta.size == seal.size => Ok(object),
        Ok(_) | Err(ArtifactStoreError::Missing) => Err(SendError::Damaged(BrokenSeal::Size)),
        Err(error) => Err(error.into()),
    }
}

/// The transfer was cut short.
#[derive(Debug, thiserror::Error)]
#[error("the file was not sent to its end")]
pub struct CutShort;

/// The content, as a stream that ends early, with an error, unless it is what the seal says; `on_failure` is told why,
/// before. `held` is dropped once it is over.
pub fn send<H, F, Fut>(
    object: GetResult,
    seal: FileSeal,
    pace: TransferPace,
    held: H,
    on_failure: F,
) -> impl Stream<Item = Result<Bytes, CutShort>> + Send + 'static
where
    H: Send + 'static,
    F: FnOnce(SendError) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (pieces, sent) = mpsc::channel(2);
    // A task of its own, because nobody asks a stream for more while its reader is slow.
    tokio::spawn(async move {
        if let Err(error) = pump(object, seal, pace, &pieces).await {
            on_failure(error).await;
        }
        drop((pieces, held));
    });
    stream::unfold((sent, seal.size), |(mut sent, left)| async move {
        match sent.recv().await {
            Some(piece) => {
                let left = left.saturating_sub(Bytes::len(&piece) as u64);
                Some((Ok(piece), (sent, left)))
            }
            None if left > 0 => Some((Err(CutShort), (sent, 0))),
            None => None,
        }
    })
}

async fn pump(
    object: GetResult,
    seal: FileSeal,
    pace: TransferPace,
    pieces: &Sender<Bytes>,
) -> Result<(), SendError> {
    let mut check = SealCheck::new(seal);
    let mut content = object.into_stream();
    let mut waiting = None;
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(ArtifactStoreError::from)?;
        check.take(&piece)?;
        // An empty one at the end must not let the last real one go.
        if piece.is_empty() {
            continue;
        }
        if let Some(earlier) = waiting.replace(piece) {
            pass(pace, pieces, earlier).await?;
        }
    }
    check.finish()?;
    match waiting {
        Some(last) => pass(pace, pieces, last).await,
        None => Ok(()),
    }
}

async fn pass(pace: TransferPace, pieces: &Sender<Bytes>, piece: Bytes) -> Result<(), SendError> {
    match pace.keep(pieces.send(piece)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(SendError::Unread),
    }
}
