//! A connection that outlives the agent: what an agent has not carried out because it ends, the next one is asked.

use crate::agent_finder::{self, RETRY_PAUSE, START_TIME};
use crate::connection::{Connection, Unanswered};
use crate::environment;
use everkey_config::paths::Places;
use everkey_proto::request::{AgentRequest, Call, ProfileRequest, SessionRequest};
use everkey_proto::{Failure, Request};
use std::time::Instant;

/// What is done where no agent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhereNoneRuns {
    StartOne,
    LeaveIt,
    /// Nor is another one looked for.
    AskNoOther,
}

/// A connection to whichever agent there is.
pub struct LastingConnection {
    connection: Connection,
    places: Places,
    program: String,
    where_none_runs: WhereNoneRuns,
}

impl LastingConnection {
    /// To an agent that is started if none runs.
    pub fn open(program: &str) -> Result<Self, Failure> {
        let places = environment::places()?;
        let connection = agent_finder::find_or_start(&places, program)?;
        Ok(Self::new(connection, places, program, WhereNoneRuns::StartOne))
    }

    /// To an agent that runs already; none where none does.
    pub fn find(program: &str) -> Result<Option<Self>, Failure> {
        let places = environment::places()?;
        let connection = agent_finder::find(&places, program)?;
        Ok(connection.map(|connection| Self::new(connection, places, program, WhereNoneRuns::LeaveIt)))
    }

    /// To this agent alone: whoever asks has no time for the next.
    pub fn to_no_other(connection: Connection, places: Places) -> Self {
        Self::new(connection, places, "", WhereNoneRuns::AskNoOther)
    }

    fn new(connection: Connection, places: Places, program: &str, where_none_runs: WhereNoneRuns) -> Self {
        Self { connection, places, program: program.to_owned(), where_none_runs }
    }

    /// As [`Connection::ask`], of the next agent where this one ends.
    pub fn ask<C: Call>(&mut self, request: &Request) -> Result<C::Reply, Failure> {
        let deadline = Instant::now() + START_TIME;
        loop {
            let unanswered = match self.connection.ask::<C>(request) {
                Ok(reply) => return Ok(reply),
                Err(unanswered) => unanswered,
            };
            if Instant::now() > deadline || !may_be_repeated(request, &unanswered) {
                return Err(unanswered.failure());
            }
            match self.next()? {
                Some(connection) => self.connection = connection,
                None => return Err(unanswered.failure()),
            }
        }
    }

    /// The agent that comes after one that ends.
    fn next(&self) -> Result<Option<Connection>, Failure> {
        // The one that ends goes on listening until it has ended.
        let pause = || std::thread::sleep(RETRY_PAUSE);
        match self.where_none_runs {
            WhereNoneRuns::StartOne => {
                pause();
                agent_finder::find_or_start(&self.places, &self.program).map(Some)
            }
            WhereNoneRuns::LeaveIt => {
                pause();
                agent_finder::find(&self.places, &self.program)
            }
            WhereNoneRuns::AskNoOther => Ok(None),
        }
    }

    pub fn agent(&self) -> &str {
        self.connection.agent()
    }

    pub fn into_connection(self) -> Connection {
        self.connection
    }
}

/// Whether it does no harm that two agents get a request; a stop is meant for the one that has got it.
fn may_be_repeated(request: &Request, unanswered: &Unanswered) -> bool {
    match unanswered {
        Unanswered::Failed(_) => false,
        Unanswered::NotCarriedOut(_) => !matches!(request, Request::Agent(AgentRequest::Stop)),
        Unanswered::HungUp(_) => match request {
            Request::Agent(AgentRequest::Stop) => false,
            Request::Agent(
                AgentRequest::DescribeAgent
                | AgentRequest::Examine
                | AgentRequest::Events { .. }
                | AgentRequest::Accesses { .. }
                | AgentRequest::ReadAccessLog { .. },
            ) => true,
            Request::Profile { request: ProfileRequest::Reminder(_), .. } => true,
            Request::Profile { request: ProfileRequest::Session(request), .. } => match request {
                SessionRequest::Whoami
                | SessionRequest::Status
                | SessionRequest::Token { .. }
                | SessionRequest::Refresh { .. }
                | SessionRequest::Better { .. }
                | SessionRequest::Wait { .. }
                | SessionRequest::Inspect { .. } => true,
                SessionRequest::Login { .. }
                | SessionRequest::Answer { .. }
                | SessionRequest::Cancel { .. }
                | SessionRequest::Leave { .. }
                | SessionRequest::Logout => false,
            },
        },
    }
}
