//! `everkey agent start|stop|status|logs`

use crate::args::{AgentVerb, Invocation};
use crate::wire::NoConnection;
use crate::{agent, environment, show};
use everkey_proto::{Code, Failure, Reply, Verb};
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

pub fn run(invocation: &Invocation, verb: AgentVerb) -> Result<ExitCode, Failure> {
    match verb {
        AgentVerb::Start => {
            agent::connect()?;
            status(invocation)
        }
        AgentVerb::Stop => stop(invocation),
        AgentVerb::Status => status(invocation),
        AgentVerb::Logs => logs(),
    }
}

fn status(invocation: &Invocation) -> Result<ExitCode, Failure> {
    let places = environment::places()?;
    let mut connection = match agent::find(&places) {
        Ok(connection) => connection,
        Err(NoConnection::Useless(failure)) => return Err(failure),
        Err(NoConnection::Nobody) => return Err(nobody()),
    };
    let Reply::Agent(info) = agent::ask(&mut connection, invocation, Verb::Agent)? else {
        return Err(agent::beside_the_point());
    };
    if invocation.json {
        show::json(&json!(info));
    } else {
        show::out(format_args!("everkeyd {} runs as process {}", info.version, info.pid));
        show::out(format_args!("{:<10} {}", "Socket", show::plain(&info.socket)));
        show::out(format_args!("{:<10} {}", "Folder", show::plain(&info.state_dir)));
    }
    Ok(ExitCode::SUCCESS)
}

fn stop(invocation: &Invocation) -> Result<ExitCode, Failure> {
    let places = environment::places()?;
    let said = match agent::find(&places) {
        Ok(mut connection) => {
            agent::ask(&mut connection, invocation, Verb::Stop)?;
            "The agent finishes what is under way and exits."
        }
        Err(NoConnection::Nobody) => "No agent runs.",
        Err(NoConnection::Useless(failure)) => return Err(failure),
    };
    if invocation.json {
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
    }
}
