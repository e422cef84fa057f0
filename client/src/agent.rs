//! Finds the agent, or starts it.

use crate::account::Account;
use crate::environment;
use crate::setup::Setup;
use crate::sources;
use crate::wire::{Connection, NoConnection};
use everkey_proto::place::Places;
use everkey_proto::profile::Profile;
use everkey_proto::reply::{Access, Event};
use everkey_proto::{Code, Expect, Failure, Reply, Request, Verb};
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

/// What the access log calls a program that does not say.
const UNNAMED: &str = concat!("everkey-client ", env!("CARGO_PKG_VERSION"));

/// A connection to the user's agent.
pub struct Agent(Connection);

/// Whether an agent runs.
pub enum Running {
    /// It does.
    Yes(Agent),
    /// It does not.
    No,
}

impl Agent {
    /// Connects to the agent, which is started if none runs.
    ///
    /// # Errors
    /// [`Code::NoAgent`], [`Code::Version`] or [`Code::Storage`].
    pub fn connect() -> Result<Self, Failure> {
        Self::connect_as(UNNAMED)
    }

    /// The same, with the program's name and version for the access log.
    ///
    /// # Errors
    /// As [`Agent::connect`].
    pub fn connect_as(program: &str) -> Result<Self, Failure> {
        let places = environment::places()?;
        let deadline = Instant::now() + START_TIME;
        let mut found = open(&places, program);
        loop {
            match found {
                Ok(connection) => return Ok(Self(connection)),
                Err(NoConnection::Useless(failure)) => return Err(failure),
                Err(NoConnection::Nobody) if Instant::now() < deadline => {
                    elsewhere(&places).map_or(Ok(()), Err)?;
                    start()?;
                }
                Err(NoConnection::Nobody) => {
                    return Err(not_started(format!("Nobody answers at {}", places.socket.display())));
                }
            }
            found = open(&places, program);
            if let Err(NoConnection::Nobody) = found {
                // An older agent that is dying or draining still holds the lock, so no new one could start.
                std::thread::sleep(AGAIN);
            }
        }
    }

    /// Connects to an agent that runs already; starts none.
    ///
    /// # Errors
    /// Where one runs that is of no use.
    pub fn find() -> Result<Running, Failure> {
        match open(&environment::places()?, UNNAMED) {
            Ok(connection) => Ok(Running::Yes(Self(connection))),
            Err(NoConnection::Nobody) => Ok(Running::No),
            Err(NoConnection::Useless(failure)) => Err(failure),
        }
    }

    /// The account of that name, for questions about it.
    ///
    /// # Errors
    /// [`Code::UnknownProfile`]; [`Code::Storage`] where `config.toml` has a mistake.
    pub fn profile(&mut self, name: &str) -> Result<Account<'_>, Failure> {
        self.account(Some(name))
    }

    /// The account that `EVERKEY_PROFILE` or `config.toml` says, else `failproofai`.
    ///
    /// # Errors
    /// As [`Agent::profile`].
    pub fn default_profile(&mut self) -> Result<Account<'_>, Failure> {
        let name = environment::profile();
        self.account(name.as_deref())
    }

    /// The account of a profile of [`Setup::profiles`].
    pub fn account_of(&mut self, profile: &Profile) -> Account<'_> {
        Account::new(self, profile.name.clone(), sources::expect(profile, None))
    }

    /// Follows what happens from now on, and before that what has happened since the agent started, as far as it
    /// remembers, if `past`.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many follow already, and whatever keeps the agent from answering.
    pub fn follow(mut self, past: bool) -> Result<Events, Failure> {
        let verb = Verb::Events { past };
        match self.ask(&Request { profile: None, expect: Expect::default(), verb })? {
            Reply::Following => Ok(Events { connection: self.0, over: false }),
            _ => Err(beside_the_point()),
        }
    }

    /// Who was handed which token and when, the newest first: at most `limit`, and at most 1000.
    ///
    /// # Errors
    /// [`Code::Storage`] where the log can't be read, and whatever keeps the agent from answering.
    pub fn accesses(&mut self, limit: u32) -> Result<Vec<Access>, Failure> {
        let verb = Verb::Accesses { limit };
        match self.ask(&Request { profile: None, expect: Expect::default(), verb })? {
            Reply::Accesses(accesses) => Ok(accesses),
            _ => Err(beside_the_point()),
        }
    }

    fn account(&mut self, name: Option<&str>) -> Result<Account<'_>, Failure> {
        let setup = Setup::read()?;
        Ok(self.account_of(setup.profile(name)?))
    }

    /// Asks one thing in the words of the wire.
    ///
    /// # Errors
    /// What the agent refuses, and whatever happens to the connection.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, Failure> {
        match self.0.ask(request)? {
            Reply::Failed(failure) => Err(failure),
            reply => Ok(reply),
        }
    }
}

/// What happens, from an agent that is followed, until the agent ends or drops a reader that is too slow: the last item
/// says so. Dropping this ends the following.
pub struct Events {
    connection: Connection,
    over: bool,
}

impl Iterator for Events {
    type Item = Result<Event, Failure>;

    /// Waits for the next event. An error is the last item.
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let event = match self.connection.next() {
            Ok(Reply::Event(event)) => Ok(event),
            Ok(Reply::Failed(failure)) | Err(failure) => Err(failure),
            Ok(_) => Err(beside_the_point()),
        };
        self.over = event.is_err();
        Some(event)
    }
}

/// A connection to an agent that runs already.
fn open(places: &Places, program: &str) -> Result<Connection, NoConnection> {
    // Whoever holds the lock has written down where it listens, whatever environment it was started in (D02).
    if !places.socket_named
        && let Some(socket) = recorded(places)
    {
        match Connection::open(&socket, program) {
            Err(NoConnection::Nobody) => {}
            other => return other,
        }
    }
    Connection::open(&places.socket, program)
}

/// An answer to another question than the one asked.
pub fn beside_the_point() -> Failure {
    Failure::new(
        Code::Version,
        "The agent's answer does not fit the question.",
        "Run `everkey agent stop` so that the next command starts a fresh one.",
    )
}

/// Starts the agent and returns when it answers.
fn start() -> Result<(), Failure> {
    let program = environment::program("everkeyd");
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
        answer: None,
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

fn recorded(places: &Places) -> Option<PathBuf> {
    let lock = places.agent_lock();
    let ours = std::fs::metadata(&lock).ok()?.uid() == rustix::process::geteuid().as_raw();
    let path = std::fs::read(lock).ok().filter(|path| ours && !path.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(&path)))
}

/// An agent that runs, but not at the socket that this caller names: no second one can be started.
fn elsewhere(places: &Places) -> Option<Failure> {
    let socket = recorded(places).filter(|socket| places.socket_named && *socket != places.socket)?;
    Connection::open(&socket, UNNAMED).ok()?;
    Some(Failure {
        code: Code::NoAgent,
        message: format!(
            "Nobody answers at {}; your agent is at {}.",
            places.socket.display(),
            socket.display()
        ),
        hint: "Unset EVERKEY_SOCKET, or run `everkey agent stop` without it.".to_owned(),
        retry_after_secs: None,
        answer: None,
    })
}

fn not_started(what: String) -> Failure {
    Failure {
        code: Code::NoAgent,
        message: format!("{what}."),
        hint: "Run `everkeyd --foreground` to see what it says.".to_owned(),
        retry_after_secs: None,
        answer: None,
    }
}
