//! The user's agent, as programs ask it.

use crate::agent_finder::{self, elsewhere};
use crate::agent_lock;
use crate::configuration::UserConfiguration;
use crate::connection::{NoConnection, Patience};
use crate::environment;
use crate::events::EventStream;
use crate::lasting_connection::LastingConnection;
use crate::precedence;
use crate::profile_client::ProfileClient;
use everkey_config::profile::ResolvedProfile;
use everkey_proto::reply::{Access, AccessPage};
use everkey_proto::request::{Accesses, AgentCall, Events, ProfileCall, ReadAccessLog};
use everkey_proto::{Expect, Failure, Request};

/// What the access log calls a program that gives no name.
const UNNAMED: &str = concat!("everkey-client ", env!("CARGO_PKG_VERSION"));

/// A connection to the user's agent. One request at a time; dropping it closes the connection. Where the agent ends in
/// between, as in an upgrade, the next request goes to the one that comes after it.
pub struct Agent(LastingConnection);

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
        Ok(match agent_finder::open(&places, UNNAMED, Patience::FULL) {
            Ok(connection) => AgentSight::Answers(Self(LastingConnection::to_no_other(connection, places))),
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => {
                AgentSight::Unusable(failure)
            }
            Err(NoConnection::Nobody) => {
                elsewhere(&places, UNNAMED).map_or(AgentSight::Hidden, AgentSight::Unusable)
            }
        })
    }

    /// Connects to the agent, and starts it if none runs. Blocks for up to 12 seconds.
    ///
    /// # Errors
    /// [`crate::Code::NoAgent`] where it can't be started or reached, [`crate::Code::Version`] where it is too old or too new,
    /// [`crate::Code::Storage`] where there is no folder for its socket.
    pub fn connect() -> Result<Self, Failure> {
        Self::connect_as(UNNAMED)
    }

    /// As [`Agent::connect`], with the program's name and version for the access log: `mytool 1.2`.
    ///
    /// # Errors
    /// As [`Agent::connect`].
    pub fn connect_as(program: &str) -> Result<Self, Failure> {
        LastingConnection::open(program).map(Self)
    }

    /// Connects to an agent that runs already; `None` where none runs. Blocks for up to 12 seconds where one runs that
    /// can't be reached yet, or not any more.
    ///
    /// # Errors
    /// [`crate::Code::NoAgent`] or [`crate::Code::Version`] where one runs that can't be talked with.
    pub fn find() -> Result<Option<Self>, Failure> {
        Ok(LastingConnection::find(UNNAMED)?.map(Self))
    }

    /// The version that the agent says it is of.
    pub fn version(&self) -> &str {
        self.0.agent().trim_start_matches("everkeyd ")
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
        match agent_finder::open(&places, UNNAMED, Patience::NONE) {
            Ok(connection) => Ok(Some(Self(LastingConnection::to_no_other(connection, places)))),
            Err(NoConnection::Nobody) => Ok(None),
            Err(NoConnection::Unusable(failure) | NoConnection::Unreachable(failure)) => Err(failure),
        }
    }

    /// The profile of that name, for requests about it. Reads the configuration.
    ///
    /// # Errors
    /// [`crate::Code::UnknownProfile`]; [`crate::Code::Storage`] where `config.toml` has a mistake.
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
    /// [`crate::Code::Busy`] where 32 programs follow already, and whatever keeps the agent from answering.
    pub fn follow(mut self, past: bool) -> Result<EventStream, Failure> {
        self.call(Events { past })?;
        Ok(EventStream::new(self.0.into_connection()))
    }

    /// Which program was handed which profile's token and when, the newest first: at most `limit`, and at most 1000.
    ///
    /// # Errors
    /// [`crate::Code::Storage`] where the log can't be read, and whatever keeps the agent from answering.
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
    /// What the agent answers instead, and [`crate::Code::NoAgent`] where the connection breaks.
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
