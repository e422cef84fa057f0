//! Starts the agent program.

use crate::environment;
use crate::user_service;
use everkey_config::paths::Places;
use everkey_proto::{Code, Failure};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a service manager sets for the service that the caller may be part of; the agent is none of its processes.
const NOT_FOR_THE_AGENT: [&str; 7] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "JOURNAL_STREAM",
];

/// How long a service has to come before an agent is started without it.
const SERVICE_TIME: Duration = Duration::from_secs(6);

/// Starts `everkeyd` in the background and returns when it listens. Where a service manager is to start it, that one has
/// its time first: an agent beside the service would keep it from its lock.
pub fn start_agent(places: &Places, waited: Duration) -> Result<(), Failure> {
    if waited < SERVICE_TIME && user_service::is_expected(places) {
        user_service::revive(places);
        return Ok(());
    }
    let program = environment::program("everkeyd");
    let mut command = Command::new(&program);
    command.arg("--detach").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    if let Some(dir) = environment::auth_dir() {
        command.env("FAILPROOFAI_AUTH_DIR", dir);
    }
    for name in NOT_FOR_THE_AGENT {
        command.env_remove(name);
    }
    let output = command.output().map_err(|e| {
        Failure::new(
            Code::NoAgent,
            format!("Could not run {}: {e}.", program.display()),
            "Put everkeyd beside everkey, or into a folder of the PATH.",
        )
    })?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let reason = match complaint.trim().trim_start_matches("everkeyd: ").trim_end_matches('.') {
        "" => output.status.to_string(),
        reason => reason.to_owned(),
    };
    Err(not_started(&format!("The agent did not start: {reason}")))
}

/// The error for an agent that can't be started.
pub fn not_started(what: &str) -> Failure {
    Failure::new(Code::NoAgent, format!("{what}."), "Run `everkeyd --foreground` to see what it says.")
}
