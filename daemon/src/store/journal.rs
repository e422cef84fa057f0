//! The journal beside the session file: a small write-ahead log of one intent and its outcome.
//! Each record is a little-endian `u32` length, a SHA-256, and JSON; zeros follow, preallocated for the outcome.

use super::durable;
use super::session_file::{self, Content};
use everkey_session::{Intent, Journal, Session, StoreErrorKind};
use rustix::fs::{FallocateFlags, fallocate};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Room for an outcome, in bytes: no token answer is longer than 64 KiB.
const OUTCOME_ROOM: u64 = 96 * 1024;

const HEAD: usize = 4 + 32;

pub struct JournalFile {
    path: PathBuf,
    /// The open journal and where its outcome goes.
    open: Option<(File, u64)>,
}

impl JournalFile {
    /// The journal that belongs to a session file.
    pub fn beside(session_file: &Path) -> Self {
        let name = session_file.file_name().unwrap_or_default().to_string_lossy();
        Self { path: session_file.with_file_name(format!(".{name}.everkey-journal")), open: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds, as [`parse`] says; no file is an empty journal.
    /// A link, a FIFO or another user's file is none of ours.
    pub fn read(&self) -> Result<Journal, StoreErrorKind> {
        match session_file::read(&self.path)? {
            Content::Missing => Ok(Journal::Empty),
            Content::Bytes(bytes, _) => parse(&bytes).map_err(|_| StoreErrorKind::Damaged),
        }
    }

    /// S2: the intent and the room for its outcome are on disk when this returns.
    pub fn note(&mut self, intent: &Intent) -> io::Result<()> {
        self.open = None;
        let record = encode(intent)?;
        let offset = record.len() as u64;
        let temp = durable::write_beside(&self.path, &record)?;
        let file = File::options().read(true).write(true).open(&temp)?;
        match fallocate(&file, FallocateFlags::empty(), 0, offset + OUTCOME_ROOM) {
            // Some file systems can't preallocate; zeros written now are as good.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                let zeros = vec![0; usize::try_from(OUTCOME_ROOM).unwrap_or(0)];
                file.write_all_at(&zeros, offset)?;
            }
            other => other?,
        }
        file.sync_all()?;
        temp.persist(&self.path).map_err(|e| e.error)?;
        durable::sync_dir_of(&self.path)?;
        self.open = Some((file, offset));
        Ok(())
    }

    /// S5: the outcome is on disk when this returns.
    pub fn commit(&self, session: &Session) -> io::Result<()> {
        let no_intent = || io::Error::new(io::ErrorKind::NotFound, "the journal has no intent");
        let (file, offset) = self.open.as_ref().ok_or_else(no_intent)?;
        file.write_all_at(&encode(session)?, *offset)?;
        file.sync_data()
    }

    pub fn clear(&mut self) -> io::Result<()> {
        self.open = None;
        durable::remove(&self.path)
    }
}

/// What a journal's bytes hold. An outcome whose checksum does not fit was never finished and counts as absent;
/// an intent that can't be read is an error, because its token may have been sent.
pub fn parse(bytes: &[u8]) -> io::Result<Journal> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the journal is damaged");
    let (intent, rest): (Intent, _) = decode(bytes).ok_or_else(damaged)?;
    Ok(match decode::<Session>(rest) {
        Some((session, _)) => Journal::Outcome(intent, session),
        None => Journal::Intent(intent),
    })
}

pub fn encode(record: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let json = Zeroizing::new(serde_json::to_vec(record)?);
    let len = u32::try_from(json.len()).map_err(io::Error::other)?;
    Ok(Zeroizing::new([&len.to_le_bytes(), Sha256::digest(&json).as_slice(), &json].concat()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (len, sum) = head.split_first_chunk::<4>()?;
    let (json, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    let whole = !json.is_empty() && Sha256::digest(json).as_slice() == sum;
    whole.then(|| serde_json::from_slice(json).ok()).flatten().map(|record| (record, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::{Secret, reply::User};
    use everkey_session::FileKind;
    use everkey_session::{Capability, Claims, Fingerprint, Holder};

    fn intent() -> Intent {
        Intent {
            epoch: 3,
            parent: Fingerprint::of(&Secret::new("old")),
            key: Secret::new("key"),
            server: "http://127.0.0.1:1".into(),
            deadline: 9,
            capability: Capability::Rr1,
            sends: 1,
            begun: None,
        }
    }

    fn session() -> Session {
        Session {
            access: Secret::new("a"),
            access_expires_at: Some(1),
            refresh: Some(Secret::new("new")),
            refresh_expires_at: Some(2),
            issued_at: None,
            claims: Claims::default(),
            holder: Holder { user: Some(User { id: "u".into(), email: "e".into() }), ..Holder::default() },
        }
    }

    #[test]
    fn f08_a_cut_journal_never_yields_a_wrong_outcome() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = JournalFile::beside(&dir.path().join("auth.json"));
        assert_eq!(journal.read().unwrap(), Journal::Empty);
        journal.note(&intent()).unwrap();
        assert_eq!(journal.read().unwrap(), Journal::Intent(intent()));
        let noted = encode(&intent()).unwrap().len();
        journal.commit(&session()).unwrap();
        assert_eq!(journal.read().unwrap(), Journal::Outcome(intent(), session()));

        let whole = std::fs::read(journal.path()).unwrap();
        let end = noted + encode(&session()).unwrap().len();
        for cut in 0..end {
            let mut torn = whole.clone();
            torn[cut..].fill(0);
            std::fs::write(journal.path(), &torn).unwrap();
            match journal.read() {
                Ok(Journal::Intent(read)) => assert!(cut >= noted && read == intent(), "cut at {cut}"),
                Ok(other) => panic!("cut at {cut}: {other:?}"),
                Err(_) => assert!(cut < noted, "cut at {cut}"),
            }
        }
        journal.clear().unwrap();
        assert_eq!(journal.read().unwrap(), Journal::Empty);
        std::os::unix::fs::symlink("/dev/zero", journal.path()).unwrap();
        assert_eq!(journal.read(), Err(StoreErrorKind::Symlink));
        std::fs::remove_file(journal.path()).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, journal.path(), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        assert_eq!(journal.read(), Err(StoreErrorKind::NotAFile(FileKind::Fifo)));
        journal.clear().unwrap();
        assert!(journal.commit(&session()).is_err());
    }
}
