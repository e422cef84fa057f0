//! One profile's files: owner lock, session file, journal, side-car, revocations, reminder. Blocking; one job at a time.

mod durable;
pub mod journal;
mod owner_lock;
pub mod reminder;
mod replace;
mod session_file;
pub mod state_files;

pub use durable::{is_named, make_dir, make_private_dir, older, open_lock, open_log};

use crate::provider::SessionFormat;
use durable::{error, unusable};
use everkey_reminder::{ReminderDone, ReminderJob};
use everkey_session::{FileContent, JobResult, Loaded, PendingRevocation, Sidecar, StoreError, StoreJob};
use owner_lock::OwnerLock;
use replace::replace;
use session_file::Content;
use state_files::StateFiles;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The bytes of a session file that may be used as it stands; none of any other.
pub fn read_own(session_file: &Path) -> Option<Zeroizing<Vec<u8>>> {
    match session_file::read(session_file) {
        Ok(Content::Bytes(bytes, tightened)) => {
            if tightened {
                tracing::warn!(file = %session_file.display(), "was readable by others; its mode is 0600 now");
            }
            Some(bytes)
        }
        Ok(Content::Missing) | Err(_) => None,
    }
}

pub struct ProfileStore {
    format: &'static SessionFormat,
    session_file: PathBuf,
    lock: OwnerLock,
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
            lock: OwnerLock::beside(&session_file),
            journal: journal::JournalFile::beside(&session_file),
            reminder: reminder::ReminderFiles::of(&session_file, state_files.reminder_book().to_owned()),
            state_files,
            session_file,
        }
    }

    /// Whether there is something to look after: a session, or what everkey noted about one.
    pub fn is_in_use(&self) -> bool {
        self.session_file.exists() || self.journal.path().exists() || self.state_files.is_in_use()
    }

    /// Does one job. Never panics; what goes wrong is in the answer.
    pub fn run(&mut self, job: StoreJob) -> JobResult {
        match job {
            StoreJob::Load => JobResult::Loaded(Box::new(self.load())),
            StoreJob::ReadSession => {
                // The folder may have come since; who has the lock then is found out before anything is sent.
                let _ = self.lock.take_first();
                JobResult::SessionRead(Box::new(session_file::find(&self.session_file, self.format)))
            }
            StoreJob::SetAside(digest) => {
                JobResult::SetAside(self.lock.check().and_then(|()| self.set_aside(digest)))
            }
            StoreJob::WriteIntent(intent) => JobResult::Stored(
                self.lock.check().and_then(|()| self.journal.note(&intent).map_err(|e| self.in_journal(&e))),
            ),
            StoreJob::Commit(session) => {
                JobResult::Stored(self.journal.commit(&session).map_err(|e| self.in_journal(&e)))
            }
            StoreJob::WriteSidecar(sidecar) => JobResult::Stored(self.remember(&sidecar)),
            StoreJob::Replace { parent, session } => JobResult::Replaced(
                self.lock.check().and_then(|()| replace(&self.session_file, self.format, parent, &session)),
            ),
            StoreJob::Settle(sidecar) => JobResult::Stored(
                self.remember(&sidecar).and_then(|()| self.journal.clear().map_err(|e| self.in_journal(&e))),
            ),
            StoreJob::Erase { sidecar, revocation } => {
                JobResult::Erased(self.erase(&sidecar, revocation.as_ref()))
            }
            StoreJob::QueueRevocation(revocation) => JobResult::Stored(
                self.state_files.queue(&revocation).map_err(|e| error(self.state_files.path(), &e)),
            ),
            StoreJob::DropRevocation(id) => JobResult::Stored(
                self.state_files.dequeue(id).map_err(|e| error(self.state_files.path(), &e)),
            ),
            StoreJob::KeepSignIn(kept) => JobResult::Stored(
                self.state_files
                    .keep_sign_in(kept.as_deref())
                    .map_err(|e| error(self.state_files.sign_in_file(), &e)),
            ),
            StoreJob::KeepClients(clients) => JobResult::Stored(
                self.state_files
                    .keep_clients(&clients)
                    .map_err(|e| error(self.state_files.clients_file(), &e)),
            ),
        }
    }

    /// Does one job on the reminder's files.
    pub fn run_reminder(&mut self, job: ReminderJob) -> ReminderDone {
        match job {
            ReminderJob::Read => {
                ReminderDone::Read(Box::new(self.reminder.find()), Box::new(self.reminder.book()))
            }
            ReminderJob::Put { book, reminder } => {
                let owner = self.lock.check();
                ReminderDone::Stored(owner.and_then(|()| self.reminder.put(&book, reminder.as_ref())))
            }
            ReminderJob::Note(book) => {
                ReminderDone::Stored(self.lock.check().and_then(|()| self.reminder.note(&book)))
            }
        }
    }

    fn load(&mut self) -> Loaded {
        let owner = self.lock.take();
        // A killed agent may have renamed without a sync: what is read now must not be undone by a power cut later.
        let durable = match &owner {
            Ok(()) => {
                durable::clear_temps(&self.session_file);
                durable::clear_temps(self.journal.path());
                self.reminder.clear_temps();
                match durable::sync_dir_of(&self.session_file) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                    synced => synced,
                }
            }
            Err(_) => Ok(()),
        };
        // A side-car that can't be read may hide that a token is spent: that is as bad as an unreadable journal.
        let made = durable.and_then(|()| self.state_files.make_dirs());
        let sidecar = made
            .map_err(|e| error(self.state_files.path(), &e))
            .and_then(|()| self.state_files.read().map_err(|kind| unusable(self.state_files.path(), kind)));
        let journal = match &sidecar {
            Ok(_) => self.journal.read().map_err(|kind| unusable(self.journal.path(), kind)),
            Err(why) => Err(why.clone()),
        };
        Loaded {
            owner,
            file: session_file::find(&self.session_file, self.format),
            journal,
            sidecar: sidecar.unwrap_or_default(),
            revocations: self.state_files.revocations(),
            clients: self.state_files.clients(),
            sign_in: self.state_files.sign_in().map(Box::new),
        }
    }

    /// The file's removal is all that counts; what can't be noted down for later must not prevent it.
    fn erase(&mut self, sidecar: &Sidecar, revocation: Option<&PendingRevocation>) -> Result<(), StoreError> {
        if let Some(revocation) = revocation {
            let _ = self.state_files.queue(revocation);
        }
        let _ = self.remember(sidecar);
        let wrong = |e: io::Error| error(&self.session_file, &e);
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

    fn set_aside(&self, digest: u64) -> Result<Option<String>, StoreError> {
        match session_file::find(&self.session_file, self.format) {
            FileContent::Damaged(now) if now == digest => {}
            FileContent::Missing
            | FileContent::Session { .. }
            | FileContent::Damaged(_)
            | FileContent::Unusable(_) => {
                return Ok(None);
            }
        }
        let wrong = |e: io::Error| error(&self.session_file, &e);
        let name = self.session_file.file_name().unwrap_or_default().to_string_lossy();
        let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let aside = self.session_file.with_file_name(format!("{name}.damaged-{stamp}-{digest:08x}"));
        durable::rename_new(&self.session_file, &aside).map_err(wrong)?;
        durable::sync_dir_of(&self.session_file).map_err(wrong)?;
        Ok(Some(aside.display().to_string()))
    }

    fn remember(&self, sidecar: &Sidecar) -> Result<(), StoreError> {
        self.state_files.write(sidecar).map_err(|e| error(self.state_files.path(), &e))
    }

    fn in_journal(&self, e: &io::Error) -> StoreError {
        error(self.journal.path(), e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::descriptor;
    use everkey_config::ProviderKind;
    use everkey_proto::Secret;
    use everkey_session::{Capability, Fingerprint, Intent, NotOwner};

    fn owner_of(folder: &Path, state: &Path) -> (ProfileStore, Result<(), NotOwner>) {
        let format = &descriptor(ProviderKind::Failproofai).session_file;
        let mut store = ProfileStore::new(format, "p", folder.join("auth.json"), state);
        let JobResult::Loaded(loaded) = store.run(StoreJob::Load) else { panic!("a load ends as one") };
        (store, loaded.owner)
    }

    #[test]
    fn d07_a_lock_in_a_removed_folder_is_retaken_or_lost() {
        let (root, a, b) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = root.path().join("folder");
        let intent = || {
            StoreJob::WriteIntent(Intent {
                epoch: 1,
                parent: Fingerprint::of(&Secret::new("old")),
                key: Secret::new("key"),
                server: "http://127.0.0.1:1".into(),
                deadline: 9,
                capability: Capability::Rr1,
                sends: 1,
                begun: None,
            })
        };
        std::fs::create_dir(&folder).unwrap();
        let (mut first, owner) = owner_of(&folder, a.path());
        assert_eq!(owner, Ok(()));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(first.run(intent()), JobResult::Stored(Ok(())));
        assert_eq!(owner_of(&folder, b.path()).1, Err(NotOwner::Held), "the first has locked the new folder");

        std::fs::remove_dir_all(&folder).unwrap();
        let (mut second, owner) = owner_of(&folder, b.path());
        assert_eq!(owner, Ok(()));
        assert!(!folder.exists(), "there is nothing to own yet");
        assert_eq!(second.run(intent()), JobResult::Stored(Ok(())));
        let JobResult::Stored(Err(why)) = first.run(intent()) else { panic!("two own the folder (I5)") };
        assert!(why.path.ends_with(".auth.json.everkey-lock"), "{why:?}");
    }
}
