//! `everkey agent start|stop|status|logs`

use crate::cli::args::AgentVerb;
use crate::cli::show;
use everkey_client::{Agent, Failure, Running, beside_the_point, environment};
use everkey_proto::{Code, Expect, Reply, Request, Verb};
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long an agent may take to finish what is under way.
const DRAIN_TIME: Duration = Duration::from_secs(12);

pub fn run(verb: AgentVerb, json: bool) -> Result<ExitCode, Failure> {
    match verb {
        AgentVerb::Start => {
            Agent::connect()?;
            status(json)
        }
        AgentVerb::Stop => stop(json),
        AgentVerb::Status => status(json),
        AgentVerb::Logs => logs(),
    }
}

/// Has an agent that runs drain and start anew, so that it reads a profile that has changed. Whether one ran.
pub fn renew() -> Result<bool, Failure> {
    let Running::Yes(mut agent) = Agent::find()? else { return Ok(false) };
    agent.ask(&about_itself(Verb::Stop))?;
    drop(agent);
    let deadline = Instant::now() + DRAIN_TIME;
    while let Ok(Running::Yes(_)) = Agent::find() {
        if Instant::now() > deadline {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Agent::connect().map(|_| true)
}

fn about_itself(verb: Verb) -> Request {
    Request { profile: None, expect: Expect::default(), verb }
}

fn status(json: bool) -> Result<ExitCode, Failure> {
    let Running::Yes(mut agent) = Agent::find()? else { return Err(nobody()) };
    let Reply::Agent(info) = agent.ask(&about_itself(Verb::Agent))? else {
        return Err(beside_the_point());
    };
    if json {
        show::json(&json!(info));
    } else {
        show::out(format_args!("everkeyd {} runs as process {}", show::plain(&info.version), info.pid));
        show::out(format_args!("{:<10} {}", "Socket", show::plain(&info.socket)));
        show::out(format_args!("{:<10} {}", "Folder", show::plain(&info.state_dir)));
    }
    Ok(ExitCode::SUCCESS)
}

fn stop(json: bool) -> Result<ExitCode, Failure> {
    let said = match Agent::find()? {
        Running::Yes(mut agent) => {
            agent.ask(&about_itself(Verb::Stop))?;
            "The agent finishes what is under way and exits."
        }
        Running::No => "No agent runs.",
    };
    if json {
        show::json(&json!({ "running": false }));
    } else {
        show::out(said);
    }
    Ok(ExitCode::SUCCESS)
}

fn logs() -> Result<ExitCode, Failure> {
    let path = environment::places()?.state.join("agent.log");
    let log = std::fs::read(&path).map_err(|e| Failure {
        code: Code::Storage,
        message: format!("{}: {e}.", path.display()),
        hint: "An agent run by systemd logs to the journal: journalctl --user -u everkey".to_owned(),
        retry_after_secs: None,
        answer: None,
    })?;
    let _ = io::stdout().write_all(&log);
    Ok(ExitCode::SUCCESS)
}

fn nobody() -> Failure {
    Failure {
        code: Code::NoAgent,
        message: "No agent runs.".to_owned(),
        hint: "Run `everkey agent start`; every other command starts it by itself.".to_owned(),
        retry_after_secs: None,
        answer: None,
    }
}
