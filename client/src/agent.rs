//! Finds the agent, or starts it.

use crate::agent_lock;
use crate::configuration::UserConfiguration;
use crate::connection::{Connection, NoConnection, Patience};
use crate::environment;
use crate::events::EventStream;
use crate::launch;
use crate::precedence;
use crate::profile_client::ProfileClient;
use everkey_config::paths::Places;
use everkey_config::profile::ResolvedProfile;
use everkey_proto::reply::{Access, AccessPage};
use everkey_proto::request::{Accesses, AgentCall, Events, ProfileCall, ReadAccessLog};
use everkey_proto::{Code, Expect, Failure, Request};
use std::time::{Duration, Instant};

/// How long an agent may take to start, an older one's last work included.
const START_TIME: Duration = Duration::from_secs(12);

/// The pause before the next try to start one.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What the access log calls a program that gives no name.
const UNNAMED: &str = concat!("everkey-client ", env!("CARGO_PKG_VERSION"));

/// A connection to the user's agent. One request at a time; dropping it closes the connection.
pub struct Agent(Connection);

/// What a single look finds where an agent would be.
pub enum AgentSight {
    /// One that answers.
    Answers(Agent),
    /// None runs.
    Nobody,
    /// One runs, as it holds its lock, and nobody is at its socket.
    Hidden,
    /// Somebody is there who can't be talked with, or there is no way there.
    Unusable(Failure),
}

impl Agent {
    /// Looks for the agent once: starts none, and waits for nothing but its hello, at most two seconds a socket. Where nobody
    /// holds the lock no socket is tried: a service manager that listens there would start one.
    ///
    /// # Errors
    /// [`Code::Storage`] where there is no folder for its socket.
    pub fn look() -> Result<AgentSight, Failure> {
        let places = environment::places()?;
        if !agent_lock::is_held(&places) {
            return Ok(AgentSight::Nobody);
        }
        Ok(match open(&places, UNNAMED) {
            Ok(connection) => AgentSight::Answers(Self(connection)),
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                AgentSight::Unusable(failure)
            }
            Err(NoConnection::Nobody) => elsewhere(&places).map_or(AgentSight::Hidden, AgentSight::Unusable),
        })
    }

    /// Connects to the agent, and starts it if none runs. Blocks for up to 12 seconds.
    ///
    /// # Errors
    /// [`Code::NoAgent`] where it can't be started or reached, [`Code::Version`] where it is too old or too new,
    /// [`Code::Storage`] where there is no folder for its socket.
    pub fn connect() -> Result<Self, Failure> {
        Self::connect_as(UNNAMED)
    }

    /// As [`Agent::connect`], with the program's name and version for the access log: `mytool 1.2`.
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
                Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                    return Err(failure);
                }
                Err(NoConnection::Nobody) if Instant::now() < deadline => {
                    elsewhere(&places).map_or(Ok(()), Err)?;
                    launch::start_agent()?;
                }
                Err(NoConnection::Nobody) => {
                    let nobody = format!("Nobody answers at {}", places.socket.display());
                    return Err(launch::not_started(&nobody));
                }
            }
            found = open(&places, program);
            if let Err(NoConnection::Nobody) = found {
                // An older agent that is dying or draining still holds the lock, so no new one could start.
                std::thread::sleep(RETRY_PAUSE);
            }
        }
    }

    /// Connects to an agent that runs already; `None` where none runs. Blocks for up to 12 seconds where one runs that
    /// can't be reached yet, or not any more.
    ///
    /// # Errors
    /// [`Code::NoAgent`] or [`Code::Version`] where one runs that can't be talked with.
    pub fn find() -> Result<Option<Self>, Failure> {
        let places = environment::places()?;
        let deadline = Instant::now() + START_TIME;
        loop {
            match open(&places, UNNAMED) {
                Ok(connection) => return Ok(Some(Self(connection))),
                Err(NoConnection::Nobody) if !agent_lock::is_held(&places) => return Ok(None),
                Err(NoConnection::Nobody) if Instant::now() < deadline => {
                    elsewhere(&places).map_or(Ok(()), Err)?;
                    // A socket that is not there yet can't be waited for.
                    std::thread::sleep(RETRY_PAUSE);
                }
                Err(NoConnection::Nobody) => return Err(hidden(&places)),
                Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                    return Err(failure);
                }
            }
        }
    }

    /// Connects to an agent that runs and answers at once, in a tenth of a second or so; `None` where there is none. What
    /// is asked over it has no more time. A socket that a service manager holds is left alone, so it starts no agent.
    ///
    /// # Errors
    /// As [`Agent::find`].
    pub fn find_at_once() -> Result<Option<Self>, Failure> {
        let places = environment::places()?;
        if !agent_lock::is_held(&places) {
            return Ok(None);
        }
        match open_with(&places, UNNAMED, Patience::NONE) {
            Ok(connection) => Ok(Some(Self(connection))),
            Err(NoConnection::Nobody) => Ok(None),
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => Err(failure),
        }
    }

    /// The profile of that name, for requests about it. Reads the configuration.
    ///
    /// # Errors
    /// [`Code::UnknownProfile`]; [`Code::Storage`] where `config.toml` has a mistake.
    pub fn profile(&mut self, name: &str) -> Result<ProfileClient<'_>, Failure> {
        self.named(Some(name))
    }

    /// The profile that `EVERKEY_PROFILE` or `config.toml` says, else `failproofai`.
    ///
    /// # Errors
    /// As [`Agent::profile`].
    pub fn default_profile(&mut self) -> Result<ProfileClient<'_>, Failure> {
        let name = environment::profile();
        self.named(name.as_deref())
    }

    /// Requests about a profile that was read before, from [`UserConfiguration::profiles`].
    pub fn for_profile(&mut self, profile: &ResolvedProfile) -> ProfileClient<'_> {
        ProfileClient::new(&mut self.0, profile.name.clone(), precedence::expect(profile, None))
    }

    /// Follows what happens from now on; with `past`, first what the agent remembers, at most 500 events since its
    /// start. It takes this connection over.
    ///
    /// # Errors
    /// [`Code::Busy`] where 32 programs follow already, and whatever keeps the agent from answering.
    pub fn follow(mut self, past: bool) -> Result<EventStream, Failure> {
        self.call(Events { past })?;
        Ok(EventStream::new(self.0))
    }

    /// Which program was handed which profile's token and when, the newest first: at most `limit`, and at most 1000.
    ///
    /// # Errors
    /// [`Code::Storage`] where the log can't be read, and whatever keeps the agent from answering.
    pub fn accesses(&mut self, limit: u32) -> Result<Vec<Access>, Failure> {
        self.call(Accesses { limit })
    }

    /// The same of a time, page by page, with how many there are in all. Unix seconds; none means no bound.
    ///
    /// # Errors
    /// As [`Agent::accesses`].
    pub fn access_log(&mut self, part: ReadAccessLog) -> Result<AccessPage, Failure> {
        let ReadAccessLog { since, mut until, skip, limit } = part;
        let mut all = AccessPage::default();
        loop {
            let got = u32::try_from(all.accesses.len()).unwrap_or(u32::MAX);
            let (skip, limit) = (skip.saturating_add(got), limit.saturating_sub(got));
            let page = self.call(ReadAccessLog { since, until, skip, limit })?;
            // What is handed out meanwhile must not move the next page.
            until = until.or_else(|| page.accesses.first().map(|newest| newest.at));
            all.total = page.total;
            let is_last = page.accesses.is_empty() || page.accesses.len() >= limit as usize;
            all.accesses.extend(page.accesses);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Sends one request about the agent as a whole and waits for its reply, at most 45 seconds.
    ///
    /// # Errors
    /// What the agent answers instead, and [`Code::NoAgent`] where the connection breaks.
    pub fn call<C: AgentCall>(&mut self, call: C) -> Result<C::Reply, Failure> {
        self.0.ask::<C>(&Request::Agent(call.into()))
    }

    /// Sends one request about a profile, or about the agent's default one, without reading the configuration.
    ///
    /// # Errors
    /// As [`Agent::call`].
    pub fn call_about<C: ProfileCall>(
        &mut self,
        profile: Option<String>,
        expect: Expect,
        call: C,
    ) -> Result<C::Reply, Failure> {
        self.0.ask::<C>(&Request::Profile { profile, expect, request: call.into() })
    }

    fn named(&mut self, name: Option<&str>) -> Result<ProfileClient<'_>, Failure> {
        let configuration = UserConfiguration::read()?;
        Ok(self.for_profile(configuration.profile(name)?))
    }
}

/// A connection to an agent that runs already. The lock says whether one does, the path in it only where: as long as
/// nobody holds the lock, what is wrong with that path is no reason not to start one.
fn open(places: &Places, program: &str) -> Result<Connection, NoConnection> {
    open_with(places, program, Patience::FULL)
}

fn open_with(places: &Places, program: &str, patience: Patience) -> Result<Connection, NoConnection> {
    let mut in_the_way = None;
    // Whoever holds the lock has written down where it listens, whatever environment it was started in (D02).
    let hint = agent_lock::recorded(places).filter(|socket| !places.socket_named && *socket != places.socket);
    if let Some(socket) = hint {
        match Connection::open(&socket, program, patience) {
            Ok(connection) => return Ok(connection),
            Err(NoConnection::Nobody) => {}
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                in_the_way = Some(failure);
            }
        }
    }
    match Connection::open(&places.socket, program, patience) {
        Err(NoConnection::Unreachable(failure)) => in_the_way = in_the_way.or(Some(failure)),
        Err(NoConnection::Nobody) => {}
        found => return found,
    }
    let in_the_way = in_the_way.filter(|_| agent_lock::is_held(places));
    Err(in_the_way.map_or(NoConnection::Nobody, NoConnection::Unreachable))
}

/// The error for an agent that lives and listens nowhere.
fn hidden(places: &Places) -> Failure {
    Failure::new(
        Code::NoAgent,
        format!("An agent runs, as it holds {}, but it can't be reached.", places.agent_lock().display()),
        "Kill the everkeyd process; the next command starts another. Your sessions are safe.",
    )
}

/// The error where an agent runs, but not at the socket that this caller names: no second one can be started.
fn elsewhere(places: &Places) -> Option<Failure> {
    let socket =
        agent_lock::recorded(places).filter(|socket| places.socket_named && *socket != places.socket)?;
    Connection::open(&socket, UNNAMED, Patience::FULL).ok()?;
    Some(Failure::new(
        Code::NoAgent,
        format!("Nobody answers at {}; your agent is at {}.", places.socket.display(), socket.display()),
        "Unset EVERKEY_SOCKET, or run `everkey agent stop` without it.",
    ))
}
