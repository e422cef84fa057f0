//! One profile's files: owner lock, session file, journal, side-car, revocations, reminder. Blocking; one job at a time.

mod durable;
pub mod journal;
pub mod reminder;
mod session_file;
pub mod state_files;

pub use durable::{is_named, make_dir, open_lock};

use crate::provider::SessionFormat;
use durable::NameExchange;
use everkey_session::StoreJob;
use everkey_session::job::{Done, Found, Loaded, Replaced};
use everkey_session::record::{Fingerprint, Revocation, Session, Sidecar};
use everkey_session::trouble::{NotOwner, StoreKind, StoreTrouble};
use session_file::Content;
use state_files::StateFiles;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempPath;
use zeroize::Zeroizing;

pub struct ProfileStore {
    format: &'static SessionFormat,
    session_file: PathBuf,
    lock: Option<File>,
    journal: journal::JournalFile,
    state_files: StateFiles,
    reminder: reminder::ReminderFiles,
}

impl ProfileStore {
    /// The files of `profile`; nothing is touched yet.
    pub fn new(format: &'static SessionFormat, profile: &str, session_file: PathBuf, state: &Path) -> Self {
        let state_files = StateFiles::of(state, profile, &session_file);
        Self {
            format,
            journal: journal::JournalFile::beside(&session_file),
            reminder: reminder::ReminderFiles::of(&session_file, state_files.reminder_book().to_owned()),
            state_files,
            session_file,
            lock: None,
        }
    }

    /// Whether there is something to look after: a session, or what everkey noted about one.
    pub fn is_in_use(&self) -> bool {
        self.session_file.exists() || self.journal.path().exists() || self.state_files.is_in_use()
    }

    /// Does one job. Never panics; what goes wrong is in the answer.
    pub fn run(&mut self, job: StoreJob) -> Done {
        match job {
            StoreJob::Load => Done::Loaded(Box::new(self.load())),
            StoreJob::Look => Done::Looked(Box::new(session_file::find(&self.session_file, self.format))),
            StoreJob::SetAside(digest) => Done::SetAside(self.own().and_then(|()| self.set_aside(digest))),
            StoreJob::Note(intent) => Done::Stored(
                self.own().and_then(|()| self.journal.note(&intent).map_err(|e| self.in_journal(&e))),
            ),
            StoreJob::Commit(session) => {
                Done::Stored(self.journal.commit(&session).map_err(|e| self.in_journal(&e)))
            }
            StoreJob::Remember(sidecar) => Done::Stored(self.remember(&sidecar)),
            StoreJob::Replace { parent, session } => {
                Done::Replaced(self.own().and_then(|()| self.replace(parent, &session)))
            }
            StoreJob::Settle(sidecar) => Done::Stored(
                self.remember(&sidecar).and_then(|()| self.journal.clear().map_err(|e| self.in_journal(&e))),
            ),
            StoreJob::Erase { sidecar, revocation } => {
                Done::Erased(self.erase(&sidecar, revocation.as_ref()))
            }
            StoreJob::Queue(revocation) => Done::Stored(
                self.state_files.queue(&revocation).map_err(|e| trouble(self.state_files.path(), &e)),
            ),
            StoreJob::Dequeue(id) => {
                Done::Stored(self.state_files.dequeue(id).map_err(|e| trouble(self.state_files.path(), &e)))
            }
            StoreJob::ReadReminder => {
                Done::ReminderRead(Box::new(self.reminder.find()), Box::new(self.reminder.book()))
            }
            StoreJob::PutReminder { book, reminder } => {
                let owner = self.own();
                Done::ReminderStored(owner.and_then(|()| self.reminder.put(&book, reminder.as_ref())))
            }
            StoreJob::NoteReminder(book) => {
                Done::ReminderStored(self.own().and_then(|()| self.reminder.note(&book)))
            }
        }
    }

    fn load(&mut self) -> Loaded {
        let owner = self.take_lock();
        // A killed agent may have renamed without a sync: what is read now must not be undone by a power cut later.
        let durable = match &owner {
            Ok(()) => {
                durable::clear_temps(&self.session_file);
                durable::clear_temps(self.journal.path());
                self.reminder.clear_temps();
                durable::sync_dir_of(&self.session_file)
            }
            Err(_) => Ok(()),
        };
        // A side-car that can't be read may hide that a token is spent: that is as bad as an unreadable journal.
        let sidecar =
            durable.and_then(|()| self.state_files.make_dirs()).and_then(|()| self.state_files.read());
        let journal = match &sidecar {
            Ok(_) => self.journal.read().map_err(|kind| {
                let path = self.journal.path().display().to_string();
                StoreTrouble { path, kind }
            }),
            Err(e) => Err(trouble(self.state_files.path(), e)),
        };
        Loaded {
            owner,
            file: session_file::find(&self.session_file, self.format),
            journal,
            sidecar: sidecar.unwrap_or_default(),
            revocations: self.state_files.revocations(),
        }
    }

    /// I5: whoever holds this lock is the only one to send or write.
    fn take_lock(&mut self) -> Result<(), NotOwner> {
        let path = self.lock_path();
        // A lock counts while its file has its name: in a folder that was removed and made again, whoever comes next
        // makes another.
        if self.lock.as_ref().is_some_and(|lock| is_named(lock, &path)) {
            return Ok(());
        }
        let impossible = |e: &io::Error| NotOwner::Impossible(trouble(&path, e));
        let dir = path.parent().unwrap_or(Path::new("/"));
        make_dir(dir).map_err(|e| impossible(&e))?;
        if on_network(dir) {
            let why = io::Error::other("it is on a network file system, whose locks can't be relied on");
            return Err(impossible(&why));
        }
        let file = open_lock(&path).map_err(|e| impossible(&e))?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(NotOwner::Held),
            Err(TryLockError::Error(e)) => Err(impossible(&e)),
        }
    }

    /// Looks at the lock again before anything is sent or written.
    fn own(&mut self) -> Result<(), StoreTrouble> {
        self.take_lock().map_err(|why| match why {
            NotOwner::Held => {
                let why = "the folder was removed, and another agent has taken over the new one";
                trouble(&self.lock_path(), &io::Error::other(why))
            }
            NotOwner::Impossible(why) => why,
        })
    }

    fn lock_path(&self) -> PathBuf {
        let name = self.session_file.file_name().unwrap_or_default().to_string_lossy();
        self.session_file.with_file_name(format!(".{name}.everkey-lock"))
    }

    /// Puts a session in the place of the file that still holds `parent`, by exchanging names and looking at what
    /// came out (I6); a file that is not the parent's is put back.
    fn replace(&mut self, parent: Option<Fingerprint>, session: &Session) -> Result<Replaced, StoreTrouble> {
        let path = self.session_file.clone();
        let wrong = |e: io::Error| trouble(&path, &e);
        let before = session_file::find(&path, self.format);
        if parent.is_some() && fingerprint(&before) != parent {
            return Ok(Replaced::GaveWay(Box::new(before)));
        }
        let old = match session_file::read(&path) {
            Ok(Content::Bytes(bytes, _)) => Some(bytes),
            Ok(Content::Missing) => None,
            // A sign-in replaces even what can't be read; nothing of it can be kept.
            Err(_) if parent.is_none() => None,
            Err(kind) => return Err(StoreTrouble { path: path.display().to_string(), kind }),
        };
        let content = (self.format.render)(old.as_ref().map(|bytes| bytes.as_slice()), session);
        let Some(parent) = parent else {
            return durable::replace(&path, &content).map(|()| Replaced::Done).map_err(wrong);
        };
        let temp = durable::write_beside(&path, &content).map_err(wrong)?;
        match durable::exchange(&temp, &path).map_err(wrong)? {
            NameExchange::Missing => return Ok(Replaced::GaveWay(Box::new(Found::Missing))),
            NameExchange::Unsupported => {
                temp.persist(&path).map_err(|e| wrong(e.error))?;
                return durable::sync_dir_of(&path).map(|()| Replaced::Done).map_err(wrong);
            }
            NameExchange::Exchanged => {}
        }
        let came_out = session_file::find(&temp, self.format);
        if fingerprint(&came_out) == Some(parent) {
            durable::sync_dir_of(&path).map_err(wrong)?;
            drop(temp);
            return Ok(Replaced::Done);
        }
        let found = self.put_back(temp, session.fingerprint())?;
        match came_out {
            // It was the parent's after all and merely could not be read: nobody has won, so this is tried again.
            Found::Unusable(why) if fingerprint(&found) == Some(parent) => Err(why),
            Found::Session { .. } | Found::Missing | Found::Damaged(_) | Found::Unusable(_) => {
                Ok(Replaced::GaveWay(Box::new(found)))
            }
        }
    }

    /// Another program's file came out of the exchange: it goes back, and so does any that was written meanwhile,
    /// until what comes out is ours. What is at the session file's name then.
    fn put_back(&self, temp: TempPath, ours: Fingerprint) -> Result<Found, StoreTrouble> {
        let wrong = |e: io::Error| trouble(&self.session_file, &e);
        loop {
            if let NameExchange::Missing = durable::exchange(&temp, &self.session_file).map_err(wrong)? {
                // Somebody removed the file just now: that is newer than what we hold.
                return Ok(Found::Missing);
            }
            match session_file::find(&temp, self.format) {
                Found::Session { session, .. } if session.fingerprint() == ours => {
                    durable::sync_dir_of(&self.session_file).map_err(wrong)?;
                    return Ok(session_file::find(&self.session_file, self.format));
                }
                // It may be ours or not, so it is not removed before the next start.
                Found::Unusable(why) => {
                    let _ = temp.keep();
                    return Err(why);
                }
                Found::Session { .. } | Found::Missing | Found::Damaged(_) => {}
            }
        }
    }

    /// The file's removal is all that counts; what can't be noted down for later must not prevent it.
    fn erase(&mut self, sidecar: &Sidecar, revocation: Option<&Revocation>) -> Result<(), StoreTrouble> {
        if let Some(revocation) = revocation {
            let _ = self.state_files.queue(revocation);
        }
        let _ = self.remember(sidecar);
        let wrong = |e: io::Error| trouble(&self.session_file, &e);
        match self.left_over() {
            Some(rest) => durable::replace(&self.session_file, &rest).map_err(wrong)?,
            None => durable::remove(&self.session_file).map_err(wrong)?,
        }
        let _ = self.journal.clear();
        Ok(())
    }

    /// What the file holds beside the session, and keeps.
    fn left_over(&self) -> Option<Zeroizing<Vec<u8>>> {
        match session_file::read(&self.session_file) {
            Ok(Content::Bytes(old, _)) => self.format.render_signed_out.and_then(|render| render(&old)),
            Ok(Content::Missing) | Err(_) => None,
        }
    }

    fn set_aside(&self, digest: u64) -> Result<Option<String>, StoreTrouble> {
        match session_file::find(&self.session_file, self.format) {
            Found::Damaged(now) if now == digest => {}
            Found::Missing | Found::Session { .. } | Found::Damaged(_) | Found::Unusable(_) => {
                return Ok(None);
            }
        }
        let wrong = |e: io::Error| trouble(&self.session_file, &e);
        let name = self.session_file.file_name().unwrap_or_default().to_string_lossy();
        let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let aside = self.session_file.with_file_name(format!("{name}.damaged-{stamp}-{digest:08x}"));
        durable::rename_new(&self.session_file, &aside).map_err(wrong)?;
        durable::sync_dir_of(&self.session_file).map_err(wrong)?;
        Ok(Some(aside.display().to_string()))
    }

    fn remember(&self, sidecar: &Sidecar) -> Result<(), StoreTrouble> {
        self.state_files.write(sidecar).map_err(|e| trouble(self.state_files.path(), &e))
    }

    fn in_journal(&self, e: &io::Error) -> StoreTrouble {
        trouble(self.journal.path(), e)
    }
}

fn fingerprint(found: &Found) -> Option<Fingerprint> {
    match found {
        Found::Session { session, .. } => Some(session.fingerprint()),
        Found::Missing | Found::Damaged(_) | Found::Unusable(_) => None,
    }
}

fn trouble(path: &Path, e: &io::Error) -> StoreTrouble {
    StoreTrouble { path: path.display().to_string(), kind: StoreKind::Os(e.to_string()) }
}

/// Whether a folder is on a file system whose locks depend on another machine.
#[cfg(target_os = "linux")]
fn on_network(dir: &Path) -> bool {
    const NFS: i64 = 0x6969;
    const SMB: i64 = 0x517b;
    const CIFS: i64 = 0xff53_4d42;
    const SMB2: i64 = 0xfe53_4d42;
    rustix::fs::statfs(dir).is_ok_and(|fs| [NFS, SMB, CIFS, SMB2].contains(&fs.f_type))
}

#[cfg(not(target_os = "linux"))]
fn on_network(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::descriptor;
    use everkey_proto::{ProviderKind, Secret};
    use everkey_session::record::{Capability, Intent};

    fn owner_of(folder: &Path, state: &Path) -> (ProfileStore, Result<(), NotOwner>) {
        let format = &descriptor(ProviderKind::Failproofai).session_file;
        let mut store = ProfileStore::new(format, "p", folder.join("auth.json"), state);
        let Done::Loaded(loaded) = store.run(StoreJob::Load) else { panic!("a load ends as one") };
        (store, loaded.owner)
    }

    #[test]
    fn d07_a_lock_whose_folder_was_removed_is_taken_again_or_lost() {
        let (root, a, b) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = root.path().join("folder");
        let intent = || {
            StoreJob::Note(Intent {
                epoch: 1,
                parent: Fingerprint::of(&Secret::new("old")),
                key: Secret::new("key"),
                server: "http://127.0.0.1:1".into(),
                deadline: 9,
                capability: Capability::Rr1,
                sends: 1,
            })
        };
        let (mut first, owner) = owner_of(&folder, a.path());
        assert_eq!(owner, Ok(()));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(first.run(intent()), Done::Stored(Ok(())));
        assert_eq!(owner_of(&folder, b.path()).1, Err(NotOwner::Held), "the first has locked the new folder");

        std::fs::remove_dir_all(&folder).unwrap();
        let (_second, owner) = owner_of(&folder, b.path());
        assert_eq!(owner, Ok(()));
        let Done::Stored(Err(why)) = first.run(intent()) else { panic!("two own the folder (I5)") };
        assert!(why.path.ends_with(".auth.json.everkey-lock"), "{why:?}");
    }
}
