//! Finds, makes and opens the files a command works on.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::artifacts::location::ArtifactLocation;
use crate::artifacts::store::ArtifactStore;
use crate::command_error::CommandError;
use crate::db::{Database, DatabaseLocation, OpenError};

/// The database named on the command line, or the one in the user's state folder.
pub(super) fn place(named: Option<&DatabaseLocation>) -> Result<DatabaseLocation, CommandError> {
    match named {
        Some(place) => Ok(place.clone()),
        None => {
            state_folder().map(|folder| DatabaseLocation::Sqlite(folder.join("everkey-server/everkey.db")))
        }
    }
}

/// The keys file named on the command line, or the one beside the database.
pub(super) fn keys(named: Option<PathBuf>, place: &DatabaseLocation) -> Result<PathBuf, CommandError> {
    match (named, place) {
        (Some(path), _) => Ok(path),
        (None, DatabaseLocation::Sqlite(path)) => Ok(beside(path, ".keys")),
        (None, DatabaseLocation::Postgres(_)) => Err(CommandError::new(
            "a PostgreSQL database has no folder to keep the server's keys in",
            "Name their file with --keys FILE; every server on this database needs the same one.",
        )),
    }
}

/// The place of reports' files named on the command line, or the folder beside the database.
pub(super) fn artifacts(
    named: Option<ArtifactLocation>,
    place: &DatabaseLocation,
) -> Option<ArtifactLocation> {
    match (named, place) {
        (Some(named), _) => Some(named),
        (None, DatabaseLocation::Sqlite(path)) => Some(ArtifactLocation::Folder(beside(path, ".files"))),
        (None, DatabaseLocation::Postgres(_)) => None,
    }
}

/// Opens the store of files, which must answer.
pub(super) async fn open_artifacts(place: &ArtifactLocation) -> Result<ArtifactStore, CommandError> {
    let (shown, remedy) = match place {
        ArtifactLocation::Folder(path) => (
            format!("the folder {}", path.display()),
            "Name a folder of this user's own with --files dir:PATH, and let nobody else into it (chmod 700).",
        ),
        ArtifactLocation::S3 { bucket, .. } => (
            format!("the bucket {bucket}"),
            "Make the bucket, and check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL in \
             the environment. An S3 without TLS also needs AWS_ALLOW_HTTP=true.",
        ),
    };
    let cannot = |error| CommandError::new(format!("can't keep files in {shown}: {error}"), remedy);
    ArtifactStore::open(place).await.map_err(cannot)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = OsString::from(path);
    beside.push(ending);
    beside.into()
}

/// Opens the database, made if it is not there: only its owner may read it. Returns it with the migrations that
/// brought its schema up to date.
pub(super) async fn open_or_make(place: &DatabaseLocation) -> Result<(Database, Vec<i64>), CommandError> {
    match place {
        DatabaseLocation::Sqlite(path) => check(place).map(|()| make(path))?.map_err(|error| {
            CommandError::new(
                format!("can't open the database {}: {error}", path.display()),
                "Name a file this user can write with --database sqlite:PATH; its folder must be writable too.",
            )
        })?,
        DatabaseLocation::Postgres(_) => {}
    }
    let store = open(place).await?;
    let taken = store.migrate().await.map_err(|error| cannot_open(place, error))?;
    Ok((store, taken))
}

/// Opens a database that must be there and have this version's schema.
pub(super) async fn open_ready(place: &DatabaseLocation) -> Result<Database, CommandError> {
    let store = open_existing(place).await?;
    store.check_schema().await.map_err(|error| cannot_open(place, error))?;
    Ok(store)
}

/// Opens a database that must be there.
pub(super) async fn open_existing(place: &DatabaseLocation) -> Result<Database, CommandError> {
    match place {
        DatabaseLocation::Sqlite(path) if !path.exists() => {
            return Err(CommandError::new(
                format!("there is no database at {}", path.display()),
                "Name the server's database with --database sqlite:PATH.",
            ));
        }
        DatabaseLocation::Sqlite(_) | DatabaseLocation::Postgres(_) => {}
    }
    open(place).await
}

async fn open(place: &DatabaseLocation) -> Result<Database, CommandError> {
    check(place)?;
    Database::open(place).await.map_err(|error| cannot_open(place, error))
}

fn cannot_open(place: &DatabaseLocation, error: OpenError) -> CommandError {
    let (shown, remedy) = match place {
        DatabaseLocation::Sqlite(path) => (
            path.display().to_string(),
            "It was left as it is. Check that it is an everkey-server database, that this user can write it and \
             its folder, and that the disk is not full.",
        ),
        // Its address may hold a password.
        DatabaseLocation::Postgres(_) => (
            "at the given PostgreSQL address".to_owned(),
            "Check that PostgreSQL runs there, and user, password and database name in the address.",
        ),
    };
    match error {
        OpenError::Database(_) | OpenError::Silent | OpenError::Damaged(_) => {
            CommandError::new(format!("can't open the database {shown}: {error}"), remedy)
        }
        OpenError::Behind(_) => CommandError::new(
            format!("the database {shown} is not ready: {error}"),
            "Run `everkey-server migrate` on it first, or leave --no-migrate out.",
        ),
        OpenError::Schema(error) => CommandError::new(
            format!("the database {shown} does not fit this version: {error}"),
            "Name an everkey-server database, and use the version that last ran on it or a newer one.",
        ),
    }
}

/// What others can write to is no database of accounts. Looked at before SQLite has a lock, which ends with any other look.
fn check(place: &DatabaseLocation) -> Result<(), CommandError> {
    let DatabaseLocation::Sqlite(path) = place else { return Ok(()) };
    everkey_guard::file::check(path).map_err(|why| {
        CommandError::new(
            format!("the database {} is not used: {why}", path.display()),
            "Run this as the user who runs the server, on a file that only that user may write.",
        )
    })
}

fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // SQLite gives its other files the mode of this one.
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map(drop)
}

fn state_folder() -> Result<PathBuf, CommandError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state"))).ok_or_else(
        || {
            CommandError::new(
                "neither XDG_STATE_HOME nor HOME names a folder",
                "Name the database with --database sqlite:PATH.",
            )
        },
    )
}
