//! The files in the state folder that belong to a profile: the side-car, the sign-outs to be confirmed, the clients
//! that servers have registered, a sign-in under way, and where the book about its reminder is.

use super::durable;
use super::session_file::{self, Content};
use crate::json_object;
use everkey_session::{KeptClient, KeptSignIn, PendingRevocation, Sidecar, StoreErrorKind, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// None of them is longer, in bytes.
const CAP: u64 = 8 * 1024 * 1024;

/// The state folder's files of one profile and session file.
pub struct StateFiles {
    sidecar: PathBuf,
    revocations: PathBuf,
    clients: PathBuf,
    sign_in: PathBuf,
    reminder_book: PathBuf,
}

impl StateFiles {
    /// Named after profile and session file, so that two folders of one tool don't mix.
    pub fn of(state: &Path, profile: &str, session_file: &Path) -> Self {
        let path = Sha256::digest(session_file.as_os_str().as_encoded_bytes());
        let name = format!("{}-{}", profile.replace('/', "+"), &hex(&path)[..8]);
        Self {
            sidecar: state.join(format!("sessions/{name}.json")),
            revocations: state.join(format!("revocations/{name}")),
            clients: state.join(format!("clients/{name}.json")),
            sign_in: state.join(format!("sign-ins/{name}.json")),
            reminder_book: state.join(format!("reminders/{name}.json")),
        }
    }

    /// Whether a sign-out is still to be confirmed, or a sign-in is under way.
    pub fn is_in_use(&self) -> bool {
        let revokes = std::fs::read_dir(&self.revocations).is_ok_and(|mut entries| entries.next().is_some());
        revokes || self.sign_in.exists()
    }

    pub fn make_dirs(&self) -> io::Result<()> {
        let parents = [
            self.sidecar.parent(),
            Some(self.revocations.as_path()),
            self.clients.parent(),
            self.sign_in.parent(),
        ];
        parents.into_iter().flatten().try_for_each(durable::make_private_dir)
    }

    pub fn path(&self) -> &Path {
        &self.sidecar
    }

    /// The path of the book about the reminder.
    pub fn reminder_book(&self) -> &Path {
        &self.reminder_book
    }

    /// The side-car; a damaged one is moved aside and counts as lost.
    pub fn read(&self) -> Result<Option<Sidecar>, StoreErrorKind> {
        durable::clear_temps(&self.sidecar);
        let Some(bytes) = read(&self.sidecar)? else { return Ok(None) };
        let sidecar = parse_sidecar(&bytes);
        if sidecar.is_none() {
            std::fs::rename(&self.sidecar, self.sidecar.with_extension("damaged"))
                .map_err(|e| StoreErrorKind::Os(e.to_string()))?;
        }
        Ok(sidecar)
    }

    pub fn write(&self, sidecar: &Sidecar) -> io::Result<()> {
        durable::replace(&self.sidecar, &render_sidecar(sidecar)?)
    }

    /// The clients that servers have registered. Those that can't be read are registered anew.
    pub fn clients(&self) -> Vec<KeptClient> {
        durable::clear_temps(&self.clients);
        let bytes = read(&self.clients).ok().flatten();
        bytes.and_then(|bytes| parse_clients(&bytes)).unwrap_or_default()
    }

    /// The path of the registered clients, one of which may have a secret.
    pub fn clients_file(&self) -> &Path {
        &self.clients
    }

    pub fn keep_clients(&self, clients: &[KeptClient]) -> io::Result<()> {
        match clients {
            [] => durable::remove(&self.clients),
            _ => durable::replace(&self.clients, &render_clients(clients)?),
        }
    }

    /// The sign-in that an earlier life of the agent has kept. One that can't be read has to be begun anew.
    pub fn sign_in(&self) -> Option<KeptSignIn> {
        durable::clear_temps(&self.sign_in);
        json_object::read(&read(&self.sign_in).ok().flatten()?)
    }

    /// The path of the sign-in, whose code is a secret.
    pub fn sign_in_file(&self) -> &Path {
        &self.sign_in
    }

    pub fn keep_sign_in(&self, kept: Option<&KeptSignIn>) -> io::Result<()> {
        match kept {
            None => durable::remove(&self.sign_in),
            Some(kept) => durable::replace(&self.sign_in, &Zeroizing::new(serde_json::to_vec(kept)?)),
        }
    }

    /// Every sign-out that is still to be confirmed; what can't be read is left alone, what a crash left half-written
    /// is removed: it holds a token and would be taken for a sign-out that nothing ever clears.
    pub fn revocations(&self) -> Vec<PendingRevocation> {
        durable::clear_all_temps(&self.revocations);
        let entries = std::fs::read_dir(&self.revocations).into_iter().flatten().flatten();
        let revocation = |path: PathBuf| parse_revocation(&read(&path).ok().flatten()?);
        entries.filter_map(|entry| revocation(entry.path())).collect()
    }

    pub fn queue(&self, revocation: &PendingRevocation) -> io::Result<()> {
        durable::replace(&self.revocation(revocation.id), &render_revocation(revocation)?)
    }

    pub fn dequeue(&self, id: u64) -> io::Result<()> {
        durable::remove(&self.revocation(id))
    }

    fn revocation(&self, id: u64) -> PathBuf {
        self.revocations.join(format!("{id:016x}.json"))
    }
}

/// A file that the agent wrote; none if there is none. What others have put in its place is none of ours.
fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreErrorKind> {
    Ok(match session_file::read_up_to(path, CAP)? {
        Content::Missing => None,
        Content::Bytes(bytes, _) => Some(bytes),
    })
}

/// The side-car in a file's bytes, or none if they are not one.
pub fn parse_sidecar(bytes: &[u8]) -> Option<Sidecar> {
    json_object::read(bytes)
}

pub fn render_sidecar(sidecar: &Sidecar) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec_pretty(sidecar)?)
}

/// The sign-out in a file's bytes, or none if they are not one.
pub fn parse_revocation(bytes: &[u8]) -> Option<PendingRevocation> {
    json_object::read(bytes)
}

pub fn render_revocation(revocation: &PendingRevocation) -> io::Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(serde_json::to_vec(revocation)?))
}

/// The registered clients in a file's bytes, or none if they are not such a file.
pub fn parse_clients(bytes: &[u8]) -> Option<Vec<KeptClient>> {
    json_object::read::<ClientsFile>(bytes).map(|file| file.clients)
}

pub fn render_clients(clients: &[KeptClient]) -> io::Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(serde_json::to_vec_pretty(&ClientsFile { clients: clients.to_vec() })?))
}

#[derive(Serialize, Deserialize)]
struct ClientsFile {
    clients: Vec<KeptClient>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_proto::{FlowId, Secret};
    use everkey_session::{CallTarget, DeviceInstructions, FileKind, Registration};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn registered_clients_are_kept_for_nobody_else_to_read() {
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::of(state.path(), "p", Path::new("/auth.json"));
        files.make_dirs().unwrap();
        assert_eq!(files.clients(), []);
        let registration =
            Registration { client_secret: Some(Secret::new("shh")), ..Registration::default() };
        let kept = [KeptClient { registration, redirect: None, scope: None }];
        files.keep_clients(&kept).unwrap();
        assert_eq!(files.clients(), kept);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(files.clients_file()), 0o600);
        assert_eq!(mode(files.clients_file().parent().unwrap()), 0o700);
        assert!(!files.is_in_use(), "a client alone is nothing to look after");
        std::fs::write(files.clients_file(), "{").unwrap();
        assert_eq!(files.clients(), [], "they are registered anew");
        files.keep_clients(&[]).unwrap();
        assert!(!files.clients_file().exists());
    }

    #[test]
    fn a_kept_sign_in_is_for_nobody_else_to_read() {
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::of(state.path(), "p", Path::new("/auth.json"));
        files.make_dirs().unwrap();
        assert_eq!(files.sign_in(), None);
        let shown = DeviceInstructions {
            url: "https://a/activate".to_owned(),
            complete_url: None,
            user_code: "WDJB-MJHT".to_owned(),
            expires_at: 9,
        };
        let kept = KeptSignIn {
            flow: FlowId(7),
            server: "https://a".to_owned(),
            started_at: 1,
            registration: None,
            device_code: Secret::new("shh"),
            shown,
            interval: 5,
        };
        files.keep_sign_in(Some(&kept)).unwrap();
        assert_eq!(files.sign_in(), Some(kept));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(files.sign_in_file()), 0o600);
        assert_eq!(mode(files.sign_in_file().parent().unwrap()), 0o700);
        assert!(files.is_in_use(), "the agent's next life goes on with it");
        std::fs::write(files.sign_in_file(), "{").unwrap();
        assert_eq!(files.sign_in(), None);
        files.keep_sign_in(None).unwrap();
        assert!(!files.is_in_use());
    }

    #[test]
    fn f08_a_half_written_revocation_is_ignored_and_removed() {
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::of(state.path(), "p", Path::new("/auth.json"));
        files.make_dirs().unwrap();
        let secret = || Secret::new("s");
        let revocation = PendingRevocation {
            id: 1,
            at: CallTarget { server: "http://127.0.0.1:1".into(), registration: None },
            access: secret(),
            access_expires_at: Some(1),
            refresh: Some(secret()),
            until: 2,
            user: None,
        };
        let queued = files.revocation(1);
        let half = durable::write_beside(&queued, &render_revocation(&revocation).unwrap()).unwrap();
        let half = half.keep().unwrap();
        assert_eq!(files.revocations(), Vec::new());
        assert!(!half.exists());
        files.queue(&revocation).unwrap();
        assert_eq!(files.revocations().len(), 1);
    }

    #[test]
    fn f02_a_fifo_for_our_own_files_keeps_nobody_waiting() {
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::of(state.path(), "p", Path::new("/auth.json"));
        files.make_dirs().unwrap();
        for path in [files.path(), files.clients_file(), &files.revocation(1)] {
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        }
        assert_eq!(files.read(), Err(StoreErrorKind::NotAFile(FileKind::Fifo)));
        assert_eq!((files.clients(), files.revocations()), (Vec::new(), Vec::new()));
        assert!(durable::open_lock(files.path()).is_err());
    }

    #[test]
    fn a_link_to_our_own_files_is_not_followed() {
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::of(state.path(), "p", Path::new("/auth.json"));
        files.make_dirs().unwrap();
        let elsewhere = state.path().join("elsewhere");
        std::fs::write(&elsewhere, render_sidecar(&Sidecar::default()).unwrap()).unwrap();
        for path in [files.path(), files.clients_file(), files.sign_in_file(), &files.revocation(1)] {
            std::os::unix::fs::symlink(&elsewhere, path).unwrap();
        }
        assert_eq!(files.read(), Err(StoreErrorKind::Symlink));
        assert_eq!((files.clients(), files.revocations()), (Vec::new(), Vec::new()));
        assert_eq!(files.sign_in(), None);
        assert!(durable::open_lock(files.path()).is_err());

        // A log is begun anew beside what stood there.
        let before = std::fs::read(&elsewhere).unwrap();
        drop(durable::open_log(files.path()).unwrap());
        assert_eq!(std::fs::read(&elsewhere).unwrap(), before);
        assert!(std::fs::symlink_metadata(files.path()).unwrap().is_file());
    }

    #[test]
    fn nothing_is_written_where_others_may_write() {
        let state = tempfile::tempdir().unwrap();
        let files = StateFiles::of(state.path(), "p", Path::new("/auth.json"));
        files.make_dirs().unwrap();
        let folder = files.path().parent().unwrap();
        let set_mode =
            |mode| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
        set_mode(0o777);
        let refused = files.write(&Sidecar::default()).unwrap_err().to_string();
        assert!(refused.contains(&format!("run `chmod go-w {}`", folder.display())), "{refused}");
        set_mode(0o1777);
        files.write(&Sidecar::default()).unwrap();
        set_mode(0o777);
        files.make_dirs().unwrap();
        assert_eq!(
            std::fs::metadata(folder).unwrap().permissions().mode() & 0o777,
            0o700,
            "the next start mends it"
        );
    }
}
