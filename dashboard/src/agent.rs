//! Questions to the agent. The client library blocks, so each is asked on a thread of its own.

use everkey_client::setup::Setup;
use everkey_client::{Agent, Code, Failure, Profile, Running, Status};
use everkey_proto::reply::{Access, AgentInfo};
use everkey_proto::{Expect, Reply, Request, Verb};

/// What the access log calls this program.
const NAME: &str = concat!("everkey-dashboard ", env!("CARGO_PKG_VERSION"));

/// The agent as it stands, all profiles in one look. Starts none.
#[derive(Debug, Clone)]
pub struct Look {
    /// What the agent is.
    pub agent: AgentInfo,
    /// Every profile, the default one first, with what the agent says of it; a failure where it can't say.
    pub profiles: Vec<(Profile, Result<Status, Failure>)>,
}

/// Asks about every profile an agent that runs already.
///
/// # Errors
/// [`Code::NoAgent`] where none runs, and whatever keeps it from answering.
pub async fn look() -> Result<Look, Failure> {
    blocking(|| {
        let setup = Setup::read()?;
        let default = setup.profile(None)?.name.clone();
        let mut agent = running()?;
        let info = info(&mut agent)?;
        let mut profiles = setup.profiles;
        profiles.sort_by_key(|profile| profile.name != default);
        let profiles = profiles.into_iter().map(|profile| {
            let status = agent.account_of(&profile).status();
            (profile, status)
        });
        Ok(Look { profiles: profiles.collect(), agent: info })
    })
    .await
}

/// Who was handed which token and when, the newest first, from an agent that runs already.
///
/// # Errors
/// As [`look`].
pub async fn accesses(limit: u32) -> Result<Vec<Access>, Failure> {
    blocking(move || match ask_one(&mut running()?, None, Verb::Accesses { limit })? {
        Reply::Accesses(accesses) => Ok(accesses),
        _ => Err(everkey_client::beside_the_point()),
    })
    .await
}

/// Asks an agent that runs already one thing, about a profile or the default one.
///
/// # Errors
/// As [`look`], and what the agent refuses.
pub async fn ask(profile: Option<String>, verb: Verb) -> Result<Reply, Failure> {
    blocking(move || ask_one(&mut running()?, profile, verb)).await
}

/// Asks one thing; starts the agent if none runs.
///
/// # Errors
/// Whatever keeps the agent from answering, and what it refuses.
pub async fn act(profile: Option<String>, verb: Verb) -> Result<Reply, Failure> {
    blocking(move || ask_one(&mut Agent::connect_as(NAME)?, profile, verb)).await
}

/// An agent that runs already.
///
/// # Errors
/// [`Code::NoAgent`] where none runs.
pub fn running() -> Result<Agent, Failure> {
    match Agent::find()? {
        Running::Yes(agent) => Ok(agent),
        Running::No => {
            Err(Failure::new(Code::NoAgent, "The agent is not running.", "Any everkey command starts it."))
        }
    }
}

fn info(agent: &mut Agent) -> Result<AgentInfo, Failure> {
    match ask_one(agent, None, Verb::Agent)? {
        Reply::Agent(info) => Ok(info),
        _ => Err(everkey_client::beside_the_point()),
    }
}

fn ask_one(agent: &mut Agent, profile: Option<String>, verb: Verb) -> Result<Reply, Failure> {
    agent.ask(&Request { profile, expect: Expect::default(), verb })
}

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(ask)
        .await
        .unwrap_or_else(|_| Err(Failure::new(Code::NoAgent, "Asking the agent failed.", "Try again.")))
}
