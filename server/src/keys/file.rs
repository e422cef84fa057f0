//! The keys file: JSON, mode 0600, made and replaced whole.
//! Version 1 had no signing keys; it is still read, and brought up to date when the server starts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use zeroize::{Zeroize, Zeroizing};

use crate::command_error::CommandError;
use crate::keys::ServerKey;
use crate::keys::es256::Es256Key;
use crate::keys::history::KeyHistory;
use crate::secret::SecretBytes;
use crate::time::Timestamp;

/// Larger than any keys file; a bigger file is not one.
const LARGEST: u64 = 64 * 1024;

/// Sets of keys that a file may hold, so that it stays far below that.
const MOST: usize = 64;

/// Reads the keys. `Ok(None)` if there is no such file. Errors if others may read it, it belongs to
/// someone else, or its content is not a keys file.
pub fn load(path: &Path) -> Result<Option<KeyHistory>, CommandError> {
    let Some(file) = open(path)? else { return Ok(None) };
    read(path, &file).map(Some)
}

fn open(path: &Path) -> Result<Option<File>, CommandError> {
    // Without NONBLOCK a FIFO would be waited on for ever.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
    };
    check_private(path, &file)?;
    Ok(Some(file))
}

fn read(path: &Path, file: &File) -> Result<KeyHistory, CommandError> {
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| unreadable(path, &error))?;
    let keys = serde_json::from_str::<Stored>(&text).ok().and_then(Stored::into_history);
    keys.ok_or_else(|| {
        CommandError::new(
            format!("the keys file {} is not a keys file of this version", path.display()),
            "Restore it from your backup; it was left untouched.",
        )
    })
}

/// Makes a file with one fresh set of keys at `path`, or reads the one that another process made meanwhile.
pub fn create(path: &Path, now: Timestamp) -> Result<KeyHistory, CommandError> {
    let keys = KeyHistory::new(fresh(now)?, Vec::new());
    match write_new(path, &keys) {
        Ok(()) => Ok(keys),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            load(path)?.ok_or_else(|| unreadable(path, &error))
        }
        Err(error) => Err(CommandError::new(
            format!("can't make the keys file {}: {error}", path.display()),
            "Make its folder writable for this user, or name another place with --keys.",
        )),
    }
}

/// Gives keys whose current set can't sign id_tokens a new current set that can, in the file too. The older
/// sets stay. Another process that did so meanwhile wins.
pub fn upgrade(path: &Path, now: Timestamp) -> Result<KeyHistory, CommandError> {
    change(path, |keys| match keys.current().es256 {
        Some(_) => Ok(None),
        None => Ok(Some(keys.with_current(fresh(now)?))),
    })
}

/// Puts a new current set into the keys and forgets the sets that were replaced before `horizon`. Returns the new keys
/// and how many sets were forgotten. Errors as [`change`] does, and if there are so many sets that the file would grow too large.
pub fn rotate(path: &Path, now: Timestamp, horizon: Timestamp) -> Result<(KeyHistory, usize), CommandError> {
    let mut dropped = 0;
    let keys = change(path, |keys| {
        if keys.all().count() >= MOST {
            return Err(CommandError::new(
                format!("the keys file {} holds {MOST} sets of keys already", path.display()),
                "Rotate less often, or keep old keys for a shorter time; older ones are then dropped.",
            ));
        }
        let rotated = keys.with_current(fresh(now)?).since(horizon);
        dropped = keys.all().count() + 1 - rotated.all().count();
        Ok(Some(rotated))
    })?;
    Ok((keys, dropped))
}

/// Reads the keys, and replaces the file atomically by what `change` makes of it; `None` leaves it as it is. Only one
/// process at a time changes it. Errors as [`load`] does, if there is no such file, or if it can't be written.
pub fn change(
    path: &Path,
    change: impl FnOnce(&KeyHistory) -> Result<Option<KeyHistory>, CommandError>,
) -> Result<KeyHistory, CommandError> {
    let file = lock(path)?;
    let keys = read(path, &file)?;
    let Some(changed) = change(&keys)? else { return Ok(keys) };
    let written = prepare(path, &changed).and_then(|temp| {
        temp.persist(path).map_err(|error| error.error)?;
        File::open(folder(path))?.sync_all()
    });
    written.map(|()| changed).map_err(|error| {
        CommandError::new(
            format!("can't replace the keys file {}: {error}", path.display()),
            "Make its folder writable for this user. The file is as it was.",
        )
    })
}

/// The file at `path`, locked. One that was replaced while its lock was waited for no longer counts.
fn lock(path: &Path) -> Result<File, CommandError> {
    let gone = || unreadable(path, &io::Error::from(io::ErrorKind::NotFound));
    loop {
        let file = open(path)?.ok_or_else(gone)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| unreadable(path, &error.into()))?;
        let (locked, named) = (file.metadata(), path.metadata());
        let (locked, named) =
            locked.and_then(|locked| Ok((locked, named?))).map_err(|e| unreadable(path, &e))?;
        if (locked.dev(), locked.ino()) == (named.dev(), named.ino()) {
            return Ok(file);
        }
    }
}

fn fresh(now: Timestamp) -> Result<ServerKey, CommandError> {
    ServerKey::random(now).map_err(|error| {
        CommandError::new(
            format!("the system gave no randomness for new keys: {error}"),
            "Try again once it is up.",
        )
    })
}

fn write_new(path: &Path, keys: &KeyHistory) -> io::Result<()> {
    prepare(path, keys)?.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file beside `path` with the keys in it, on the disk.
fn prepare(path: &Path, keys: &KeyHistory) -> io::Result<NamedTempFile> {
    let mut text = Zeroizing::new(serde_json::to_string_pretty(&Stored::of(keys))?);
    text.push('\n');
    // tempfile makes the file 0600 and removes it again if anything below fails.
    let mut temp = tempfile::Builder::new().prefix(".everkey-keys-").tempfile_in(folder(path))?;
    temp.write_all(text.as_bytes())?;
    temp.as_file().sync_all()?;
    Ok(temp)
}

fn check_private(path: &Path, file: &File) -> Result<(), CommandError> {
    let shown = path.display();
    let meta = file.metadata().map_err(|error| unreadable(path, &error))?;
    if !meta.is_file() {
        return Err(CommandError::new(
            format!("{shown} is not a regular file"),
            "Name the keys file with --keys.",
        ));
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return Err(CommandError::new(
            format!(
                "the keys file {shown} belongs to user {}, not to user {me} who runs the server",
                meta.uid()
            ),
            format!(
                "If it is really yours, run `chown {me} {shown}`; if not, name another file with --keys."
            ),
        ));
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CommandError::new(
            format!("the keys file {shown} has mode {mode:04o}, so others could have read the server's keys"),
            format!("If nobody did, run `chmod 600 {shown}` and start again."),
        ));
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::new(
        format!("can't read the keys file {}: {error}", path.display()),
        "Make it readable for this user, or name another file with --keys.",
    )
}

/// The version that is written.
const NEWEST: u32 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    v: u32,
    /// The first one is current.
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: String,
    created_at: i64,
    jwt: String,
    pepper: String,
    retry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    es256: Option<String>,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.jwt.zeroize();
        self.pepper.zeroize();
        self.retry.zeroize();
        self.es256.zeroize();
    }
}

impl Stored {
    fn of(keys: &KeyHistory) -> Self {
        Self { v: NEWEST, keys: keys.all().map(|key| StoredKey::of(key)).collect() }
    }

    fn into_history(self) -> Option<KeyHistory> {
        if !(1..=NEWEST).contains(&self.v) || (self.v == 1 && self.keys.iter().any(|key| key.es256.is_some()))
        {
            return None;
        }
        let mut sets = self.keys.iter().map(StoredKey::to_key).collect::<Option<Vec<_>>>()?.into_iter();
        Some(KeyHistory::new(sets.next()?, sets.collect()))
    }
}

impl StoredKey {
    fn of(key: &ServerKey) -> Self {
        let text = |secret: &SecretBytes| secret.to_base64().expose().to_owned();
        Self {
            id: key.id.clone(),
            created_at: key.created_at.secs(),
            jwt: text(&key.jwt),
            pepper: text(&key.pepper),
            retry: text(&key.retry),
            es256: key.es256.as_ref().map(|key| key.to_base64().expose().to_owned()),
        }
    }

    fn to_key(&self) -> Option<ServerKey> {
        Some(ServerKey {
            id: self.id.clone(),
            created_at: Timestamp::from_secs(self.created_at),
            jwt: SecretBytes::from_base64(&self.jwt)?,
            pepper: SecretBytes::from_base64(&self.pepper)?,
            retry: SecretBytes::from_base64(&self.retry)?,
            es256: self.es256.as_deref().map(Es256Key::from_base64).transpose().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn made_once_private_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        assert!(load(&path).unwrap().is_none());
        let made = create(&path, Timestamp::from_secs(5)).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let again = create(&path, Timestamp::from_secs(6)).unwrap();
        assert_eq!(again.current().id, made.current().id, "a second process takes the first one's keys");
        assert_eq!(again.current().retry.expose(), made.current().retry.expose());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn older_keys_are_found_by_id() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let key = |secs| ServerKey::random(Timestamp::from_secs(secs)).unwrap();
        let keys = KeyHistory::new(key(2), vec![key(1)]);
        write_new(&path, &keys).unwrap();
        let read = load(&path).unwrap().unwrap();
        let ids = |keys: &KeyHistory| keys.all().map(|key| key.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&read), ids(&keys));
        assert!(read.find(&ids(&keys)[1]).is_some());
        assert!(read.find("nobody").is_none());
    }

    #[test]
    fn a_version_1_file_gets_one_signing_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let old = ServerKey { es256: None, ..ServerKey::random(Timestamp::from_secs(1)).unwrap() };
        let mut stored = Stored::of(&KeyHistory::new(old.clone(), Vec::new()));
        stored.v = 1;
        std::fs::write(&path, serde_json::to_string(&stored).unwrap()).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(load(&path).unwrap().unwrap().current().es256.is_none(), "it is still read");

        let upgrading: Vec<_> = (0..4)
            .map(|n| {
                let path = path.clone();
                std::thread::spawn(move || upgrade(&path, Timestamp::from_secs(10 + n)).unwrap())
            })
            .collect();
        let histories: Vec<_> = upgrading.into_iter().map(|thread| thread.join().unwrap()).collect();
        let read = load(&path).unwrap().unwrap();
        let public = |keys: &KeyHistory| keys.current().es256.as_ref().unwrap().coordinates();
        for keys in &histories {
            assert_eq!(
                (keys.current().id.as_str(), public(keys)),
                (read.current().id.as_str(), public(&read))
            );
        }
        assert_eq!(read.all().count(), 2, "of several processes one makes the key");
        assert_eq!(read.find(&old.id).unwrap().retry.expose(), old.retry.expose());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn readable_or_wrong_keys_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        create(&path, Timestamp::from_secs(1)).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("0644"));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        for garbage in ["", "{}", r#"{"v":3,"keys":[]}"#, r#"{"v":2,"keys":[]}"#, r#"{"v":1,"keys":[]}"#] {
            std::fs::write(&path, garbage).unwrap();
            assert!(load(&path).unwrap_err().to_string().contains("not a keys file"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), garbage);
        }
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
        for odd in [folder.path(), &fifo] {
            assert!(load(odd).unwrap_err().to_string().contains("not a regular file"));
        }
    }
}
