//! The agent's side: one connection, kept, so that a look costs no more than a line each way.

use super::{Answer, LINE_CAP, Owned, Question};
use crate::caller_process::{self, CallerProcess};
use everkey_config::paths::Places;
use std::fs::Metadata;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(2);

static LOOKOUT: OnceLock<Lookout> = OnceLock::new();

struct Lookout {
    socket: PathBuf,
    connection: Mutex<Option<BufReader<UnixStream>>>,
}

/// Where this process is shut in and somebody looks out for it, that one is asked from now on.
pub fn begin(places: &Places) {
    let socket = places.runtime.join("lookout.sock");
    if !is_shut_in() || !socket.exists() {
        return;
    }
    if LOOKOUT.set(Lookout { socket, connection: Mutex::default() }).is_ok() {
        everkey_guard::ask_for_owners(owner);
    }
}

/// As [`caller_process::look_at`], by the lookout where there is one.
pub fn look_at(pid: i32, peer: Option<OwnedFd>, since: u64) -> CallerProcess {
    let Some(lookout) = LOOKOUT.get() else { return caller_process::look_at(pid, peer, since) };
    let since = if peer.is_none() { since } else { u64::MAX };
    let Some(reference) = caller_process::reference(pid, peer) else { return CallerProcess::default() };
    match lookout.ask(&Question::Process { pid, since }) {
        Answer::Process(process) if !caller_process::has_ended(&reference) => process,
        Answer::Process(_) | Answer::File(_) | Answer::Nothing => CallerProcess::default(),
    }
}

/// Has the machine wait with sleeping until what is returned is closed; none where nobody has to be asked.
pub fn stay_awake() -> Option<io::Result<UnixStream>> {
    let lookout = LOOKOUT.get()?;
    let asked = || {
        let mut stream = UnixStream::connect(&lookout.socket)?;
        let mut line = serde_json::to_vec(&Question::StayAwake)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        Ok(stream)
    };
    Some(asked())
}

/// Whose a file is that nobody here knows the owner of.
fn owner(path: &Path, found: &Metadata) -> Option<u32> {
    let Answer::File(there) = LOOKOUT.get()?.ask(&Question::File { path: path.to_owned() }) else {
        return None;
    };
    // Another file may have taken the name meanwhile.
    let same = |one: &&Owned| (one.device, one.inode) == (found.dev(), found.ino());
    there.iter().find(same).map(|one| one.owner)
}

/// In a user namespace in which not everybody has their number.
fn is_shut_in() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let everybody = ["0", "0", "4294967295"];
    !map.is_empty() && !map.split_whitespace().eq(everybody)
}

impl Lookout {
    fn ask(&self, question: &Question) -> Answer {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended in between is started anew by its socket.
        for _ in 0..2 {
            match self.exchange(&mut connection, question) {
                Ok(answer) => return answer,
                Err(e) => {
                    *connection = None;
                    tracing::debug!(error = %e, "nobody looks out");
                }
            }
        }
        Answer::Nothing
    }

    fn exchange(
        &self,
        connection: &mut Option<BufReader<UnixStream>>,
        question: &Question,
    ) -> io::Result<Answer> {
        let stream = match connection {
            Some(stream) => stream,
            none => none.insert(self.connect()?),
        };
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        stream.get_mut().write_all(&line)?;
        let mut answer = String::new();
        if (&mut *stream).take(LINE_CAP).read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&answer)?)
    }

    fn connect(&self) -> io::Result<BufReader<UnixStream>> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }
}
