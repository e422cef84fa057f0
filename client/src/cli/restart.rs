//! Has another agent take the place of the one that runs: after an upgrade, or so that it reads its configuration anew.

use crate::cli::terminal::progress;
use everkey_client::request::{DescribeAgent, Stop};
use everkey_client::{Agent, Failure};
use everkey_proto::Code;
use everkey_proto::reply::AgentInfo;
use std::time::{Duration, Instant};

/// How long an agent may take to finish what is under way, and the next to start.
const DRAIN_TIME: Duration = Duration::from_secs(24);

/// The agent that took the place of the one that ran; none where none ran.
pub fn restart_agent() -> Result<Option<AgentInfo>, Failure> {
    let Some(mut agent) = Agent::find()? else { return Ok(None) };
    let before = agent.call(DescribeAgent)?.pid;
    match agent.call(Stop) {
        // It is about to end anyhow.
        Err(failure) if failure.code == Code::Busy => {}
        stopped => stopped?,
    }
    drop(agent);
    progress::during(progress::AGENT, || wait_for_the_next(before)).map(Some)
}

fn wait_for_the_next(before: u32) -> Result<AgentInfo, Failure> {
    let deadline = Instant::now() + DRAIN_TIME;
    loop {
        // A service manager starts the next one as soon as somebody connects, else this does.
        let info = Agent::connect()?.call(DescribeAgent)?;
        if info.pid != before {
            return Ok(info);
        }
        if Instant::now() > deadline {
            return Err(Failure::new(
                Code::NoAgent,
                format!("The agent, process {before}, does not end."),
                "Try again; if it stays so, kill the everkeyd process. Your sessions are safe.",
            ));
        }
        // An agent that ends goes on answering until it has ended, so it is asked again and again.
        std::thread::sleep(Duration::from_millis(50));
    }
}
