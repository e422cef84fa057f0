//! Finds the agent, or starts it.

use crate::args::Invocation;
use crate::environment;
use crate::wire::{Connection, NoConnection};
use everkey_proto::place::Places;
use everkey_proto::{Code, Failure, Reply, Request, Verb};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long an agent may take to come, an older one's last work included.
const START_TIME: Duration = Duration::from_secs(12);

/// How long to wait before trying once more to start one.
const AGAIN: Duration = Duration::from_millis(50);

/// What a service manager tells the service that this program may be part of; the agent is none of its processes.
const NOT_FOR_THE_AGENT: [&str; 7] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "JOURNAL_STREAM",
];

/// A connection to the agent, which is started if none runs.
pub fn connect() -> Result<Connection, Failure> {
    let places = environment::places()?;
    let deadline = Instant::now() + START_TIME;
    let mut found = find(&places);
    loop {
        match found {
            Ok(connection) => return Ok(connection),
            Err(NoConnection::Useless(failure)) => return Err(failure),
            Err(NoConnection::Nobody) if Instant::now() < deadline => {
                elsewhere(&places).map_or(Ok(()), Err)?;
                start()?;
            }
            Err(NoConnection::Nobody) => {
                return Err(not_started(format!("Nobody answers at {}", places.socket.display())));
            }
        }
        found = find(&places);
        if let Err(NoConnection::Nobody) = found {
            // An older agent that is dying or draining still holds the lock, so no new one could start.
            std::thread::sleep(AGAIN);
        }
    }
}

/// A connection to an agent that runs already.
pub fn find(places: &Places) -> Result<Connection, NoConnection> {
    // Whoever holds the lock has written down where it listens, whatever environment it was started in (D02).
    if !places.socket_named
        && let Some(socket) = recorded(places)
    {
        match Connection::open(&socket) {
            Err(NoConnection::Nobody) => {}
            other => return other,
        }
    }
    Connection::open(&places.socket)
}

/// Asks one thing; a refusal is an error.
pub fn ask(connection: &mut Connection, invocation: &Invocation, verb: Verb) -> Result<Reply, Failure> {
    let request = Request {
        profile: invocation.profile.clone(),
        expect: environment::expect(invocation.profile.as_deref(), invocation.server.as_deref()),
        verb,
    };
    match connection.ask(&request)? {
        Reply::Failed(failure) => Err(failure),
        reply => Ok(reply),
    }
}

/// An answer to another question than the one asked.
pub fn beside_the_point() -> Failure {
    Failure {
        code: Code::Version,
        message: "The agent's answer does not fit the question.".to_owned(),
        hint: "Run `everkey agent stop` so that the next command starts a fresh one.".to_owned(),
        retry_after_secs: None,
    }
}

/// Starts the agent and returns when it answers.
pub fn start() -> Result<(), Failure> {
    let program = program();
    let mut command = Command::new(&program);
    command.arg("--detach").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    if let Some(dir) = environment::auth_dir() {
        command.env("FAILPROOFAI_AUTH_DIR", dir);
    }
    for name in NOT_FOR_THE_AGENT {
        command.env_remove(name);
    }
    let output = command.output().map_err(|e| Failure {
        code: Code::NoAgent,
        message: format!("Could not run {}: {e}.", program.display()),
        hint: "Put everkeyd beside everkey, or into a folder of the PATH.".to_owned(),
        retry_after_secs: None,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = match said.trim().trim_start_matches("everkeyd: ").trim_end_matches('.') {
        "" => output.status.to_string(),
        said => said.to_owned(),
    };
    Err(not_started(format!("The agent did not start: {said}")))
}

/// The agent beside this program, else the one on the PATH.
fn program() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|me| me.canonicalize().ok());
    let beside = beside.map(|me| me.with_file_name("everkeyd"));
    beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("everkeyd"))
}

fn recorded(places: &Places) -> Option<PathBuf> {
    let lock = places.agent_lock();
    let ours = std::fs::metadata(&lock).ok()?.uid() == rustix::process::geteuid().as_raw();
    let path = std::fs::read(lock).ok().filter(|path| ours && !path.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(&path)))
}

/// An agent that runs, but not at the socket that this caller names: no second one can be started.
fn elsewhere(places: &Places) -> Option<Failure> {
    let socket = recorded(places).filter(|socket| places.socket_named && *socket != places.socket)?;
    Connection::open(&socket).ok()?;
    Some(Failure {
        code: Code::NoAgent,
        message: format!(
            "Nobody answers at {}; your agent is at {}.",
            places.socket.display(),
            socket.display()
        ),
        hint: "Unset EVERKEY_SOCKET, or run `everkey agent stop` without it.".to_owned(),
        retry_after_secs: None,
    })
}

fn not_started(what: String) -> Failure {
    Failure {
        code: Code::NoAgent,
        message: format!("{what}."),
        hint: "Run `everkeyd --foreground` to see what it says.".to_owned(),
        retry_after_secs: None,
    }
}
