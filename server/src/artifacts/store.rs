//! The store of files: a folder or an S3 bucket. A key is random and used once, so no object is ever replaced.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, GetResult, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
    WriteMultipart,
};
use uuid::Uuid;

use crate::artifacts::location::ArtifactLocation;

/// How much of a file is held in memory: S3 takes no smaller parts than 5 MiB.
pub const PART: usize = 5 * 1024 * 1024;

/// The longest silence of an S3, and how long one step of it is tried again.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name of an object. It says nothing of what the object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectKey(String);

impl ObjectKey {
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// A key as the database has it; `None` if it is none of ours.
    pub fn read(text: String) -> Option<Self> {
        Uuid::try_parse(&text).is_ok_and(|id| id.simple().to_string() == text).then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactStoreError {
    #[error("there is no such bucket or object")]
    Missing,
    #[error("the store of files failed: {0}")]
    Failed(Error),
    #[error("{} can be read or written by other users of this machine", .0.display())]
    Open(PathBuf),
    #[error("{} is not the folder that was opened: it was moved, or its volume is not mounted", .0.display())]
    Replaced(PathBuf),
    #[error("the folder can't be made or looked at: {0}")]
    Folder(io::Error),
}

impl From<Error> for ArtifactStoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::Missing,
            error => Self::Failed(error),
        }
    }
}

/// A folder as it was when the store was opened.
#[derive(Clone, Debug)]
struct OpenedFolder {
    path: PathBuf,
    /// Its device and number there.
    is: (u64, u64),
}

impl OpenedFolder {
    fn look_at(path: PathBuf) -> io::Result<Self> {
        let found = std::fs::metadata(&path)?;
        Ok(Self { path, is: (found.dev(), found.ino()) })
    }

    fn is_the_same(&self) -> bool {
        Self::look_at(self.path.clone()).is_ok_and(|now| now.is == self.is)
    }
}

#[derive(Clone, Debug)]
pub struct ArtifactStore {
    objects: Arc<dyn ObjectStore>,
    /// The folder, if it is one.
    folder: Option<OpenedFolder>,
    prefix: String,
}

impl ArtifactStore {
    /// Opens the store, and tries all that is asked of it later, so that a wrong setting is noticed at once. A folder is
    /// made.
    pub async fn open(place: &ArtifactLocation) -> Result<Self, ArtifactStoreError> {
        let store = match place {
            ArtifactLocation::Folder(path) => {
                let path = make(path)?;
                let objects = LocalFileSystem::new_with_prefix(&path)?.with_fsync(true);
                let folder = OpenedFolder::look_at(path).map_err(ArtifactStoreError::Folder)?;
                Self { objects: Arc::new(objects), folder: Some(folder), prefix: String::new() }
            }
            ArtifactLocation::S3 { bucket, prefix } => {
                // reqwest asks for the process's provider; a second call changes nothing.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let objects = AmazonS3Builder::from_env()
                    .with_bucket_name(bucket)
                    .with_client_options(client_options())
                    .with_retry(RetryConfig {
                        max_retries: 3,
                        retry_timeout: PATIENCE,
                        ..RetryConfig::default()
                    })
                    .build()?;
                Self { objects: Arc::new(objects), folder: None, prefix: prefix.clone() }
            }
        };
        let key = ObjectKey::random();
        store.put(&key, PutPayload::from_static(b"?")).await?;
        store.get(&key).await?;
        store.delete(&key).await?;
        Ok(store)
    }

    fn path(&self, key: &ObjectKey) -> Path {
        let (first, rest) = key.as_str().split_at(2);
        Path::from(format!("{}/{first}/{rest}", self.prefix))
    }

    /// A volume that is no longer mounted must not be taken for an empty store.
    fn is_there(&self) -> Result<(), ArtifactStoreError> {
        match &self.folder {
            Some(folder) if !folder.is_the_same() => Err(ArtifactStoreError::Replaced(folder.path.clone())),
            Some(_) | None => Ok(()),
        }
    }

    /// Stores a small object whole.
    pub async fn put(&self, key: &ObjectKey, content: PutPayload) -> Result<(), ArtifactStoreError> {
        self.is_there()?;
        self.objects.put(&self.path(key), content).await?;
        Ok(())
    }

    /// Begins an object that comes in parts. Nobody sees it before it is finished.
    pub async fn begin(&self, key: &ObjectKey) -> Result<WriteMultipart, ArtifactStoreError> {
        self.is_there()?;
        let upload = self.objects.put_multipart(&self.path(key)).await?;
        Ok(WriteMultipart::new_with_chunk_size(upload, PART))
    }

    pub async fn get(&self, key: &ObjectKey) -> Result<GetResult, ArtifactStoreError> {
        self.is_there()?;
        Ok(self.objects.get(&self.path(key)).await?)
    }

    /// Deletes an object with what a crash left of writing it. One that is not there is no error.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), ArtifactStoreError> {
        self.is_there()?;
        if let Some(folder) = &self.folder {
            let staged = folder.path.join(format!("{}#1", self.path(key)));
            match tokio::task::spawn_blocking(move || std::fs::remove_file(staged)).await {
                Ok(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ArtifactStoreError::Folder(error));
                }
                Ok(_) | Err(_) => {}
            }
        }
        match self.objects.delete(&self.path(key)).await.map_err(ArtifactStoreError::from) {
            Err(ArtifactStoreError::Missing) => Ok(()),
            done => done,
        }
    }
}

/// A transfer may last; a silence may not.
fn client_options() -> ClientOptions {
    let options = ClientOptions::new().with_timeout_disabled().with_read_timeout(PATIENCE);
    let options = options.with_connect_timeout(Duration::from_secs(5));
    let allowed = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|text| text == "true" || text == "1");
    options.with_allow_http(allowed)
}

/// Makes the folder, for its owner alone, unless it is there.
fn make(path: &FilePath) -> Result<PathBuf, ArtifactStoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(ArtifactStoreError::Folder)?;
    let found = path.metadata().map_err(ArtifactStoreError::Folder)?;
    if found.permissions().mode() & 0o077 != 0 {
        return Err(ArtifactStoreError::Open(path.to_owned()));
    }
    path.canonicalize().map_err(ArtifactStoreError::Folder)
}
