//! Questions to the agent. The client library blocks, so each is asked on a thread of its own.

use everkey_client::{Agent, Code, Failure, ResolvedProfile, Status, UserConfiguration};
use everkey_proto::reply::{AccessPage, AgentInfo, Step};
use everkey_proto::request::{self, DescribeAgent, ProfileCall, ReadAccessLog, Wait};
use everkey_proto::{Expect, FlowId};
use tokio::sync::Semaphore;

/// What the access log calls this program.
const NAME: &str = concat!("everkey-dashboard ", env!("CARGO_PKG_VERSION"));

/// Questions at a time; more are told to try again.
static ASKING: Semaphore = Semaphore::const_new(24);

/// Questions at a time that take as long as a person does: sign-ins that wait.
static WAITING: Semaphore = Semaphore::const_new(16);

/// The agent as it stands, all profiles in one look. Starts none.
#[derive(Debug, Clone)]
pub struct Look {
    /// What the agent is.
    pub agent: AgentInfo,
    /// Every profile, the default one first, with what the agent says of it; a failure where it can't say.
    pub profiles: Vec<(ResolvedProfile, Result<Status, Failure>)>,
}

/// Asks about every profile an agent that runs already.
///
/// # Errors
/// [`Code::NoAgent`] where none runs, and whatever keeps it from answering.
pub async fn look() -> Result<Look, Failure> {
    blocking(|| {
        let configuration = UserConfiguration::read()?;
        // A mistake in `default` hides which is first, and none of them.
        let default = configuration.profile(None).map(|default| default.name.clone()).unwrap_or_default();
        let mut agent = running()?;
        let info = agent.call(DescribeAgent)?;
        let mut profiles = configuration.profiles;
        profiles.sort_by_key(|profile| profile.name != default);
        // Not what this program's environment counts on: the page shows each account as it is.
        let profiles = profiles.into_iter().map(|profile| {
            let status = ask_one(&mut agent, Some(&profile.name), request::Status);
            (profile, status)
        });
        Ok(Look { profiles: profiles.collect(), agent: info })
    })
    .await
}

/// Who was handed which token and when, the newest first, with how many there are in all, from an agent that runs already.
///
/// # Errors
/// As [`look`].
pub async fn accesses(limit: u32) -> Result<AccessPage, Failure> {
    let part = ReadAccessLog { since: None, until: None, skip: 0, limit };
    blocking(move || running()?.access_log(part)).await
}

/// Asks an agent that runs already one thing, about a profile or the default one.
///
/// # Errors
/// As [`look`], and what the agent refuses.
pub async fn ask<C>(profile: Option<String>, call: C) -> Result<C::Reply, Failure>
where
    C: ProfileCall<Reply: Send> + Send + 'static,
{
    blocking(move || ask_one(&mut running()?, profile.as_deref(), call)).await
}

/// Asks one thing; starts the agent if none runs.
///
/// # Errors
/// Whatever keeps the agent from answering, and what it refuses.
pub async fn act<C>(profile: Option<String>, call: C) -> Result<C::Reply, Failure>
where
    C: ProfileCall<Reply: Send> + Send + 'static,
{
    blocking(move || ask_one(&mut Agent::connect_as(NAME)?, profile.as_deref(), call)).await
}

/// What the agent is; starts it if none runs.
///
/// # Errors
/// As [`act`].
pub async fn start() -> Result<AgentInfo, Failure> {
    blocking(|| Agent::connect_as(NAME)?.call(DescribeAgent)).await
}

/// Waits for the next step of a sign-in, up to the agent's 20 s.
///
/// # Errors
/// As [`ask`]; [`Code::Busy`] where too many wait.
pub async fn wait(profile: Option<String>, flow: FlowId) -> Result<Step, Failure> {
    bounded(&WAITING, move || ask_one(&mut running()?, profile.as_deref(), Wait { flow })).await
}

/// An agent that runs already, and what it is. Blocks.
///
/// # Errors
/// As [`look`].
pub fn alive() -> Result<(AgentInfo, Agent), Failure> {
    let mut agent = running()?;
    let info = agent.call(DescribeAgent)?;
    Ok((info, agent))
}

/// An agent that runs already.
///
/// # Errors
/// [`Code::NoAgent`] where none runs.
pub fn running() -> Result<Agent, Failure> {
    Agent::find()?.ok_or_else(gone)
}

/// What is said where none runs, and nowhere else.
pub fn gone() -> Failure {
    Failure::new(Code::NoAgent, "The agent is not running.", "Any everkey command starts it.")
}

/// Of a profile that is named, server and session file are taken for granted as every other client does.
fn ask_one<C: ProfileCall>(agent: &mut Agent, profile: Option<&str>, call: C) -> Result<C::Reply, Failure> {
    match profile {
        Some(name) => agent.profile(name)?.call(call),
        None => agent.call_about(None, Expect::default(), call),
    }
}

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    bounded(&ASKING, ask).await
}

/// Asks on a thread, if there is room for one more. The place is kept until the question is answered, even if whoever
/// asked has gone: it is threads that are counted.
async fn bounded<T: Send + 'static>(
    room: &'static Semaphore,
    ask: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let Ok(place) = room.try_acquire() else {
        return Err(Failure::new(Code::Busy, "Too much is asked at once.", "Try again in a few seconds."));
    };
    let asked = tokio::task::spawn_blocking(move || {
        let answer = ask();
        drop(place);
        answer
    });
    asked.await.unwrap_or_else(|_| Err(Failure::new(Code::NoAgent, "Asking the agent failed.", "Try again.")))
}
