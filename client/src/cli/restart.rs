//! Has the agent start anew, so that it reads a configuration that has changed.

use crate::cli::terminal::progress;
use everkey_client::request::Stop;
use everkey_client::{Agent, Failure};
use std::time::{Duration, Instant};

/// How long an agent may take to finish what is under way.
const DRAIN_TIME: Duration = Duration::from_secs(12);

/// Restarts an agent that runs; starts none. Whether one ran.
pub fn restart_agent() -> Result<bool, Failure> {
    let Some(mut agent) = Agent::find()? else { return Ok(false) };
    agent.call(Stop)?;
    drop(agent);
    progress::during(progress::AGENT, wait_for_the_next)
}

fn wait_for_the_next() -> Result<bool, Failure> {
    let deadline = Instant::now() + DRAIN_TIME;
    while let Ok(Some(_)) = Agent::find() {
        if Instant::now() > deadline {
            break;
        }
        // An agent that has ended says nothing, so it is looked for again and again.
        std::thread::sleep(Duration::from_millis(50));
    }
    Agent::connect().map(|_| true)
}
