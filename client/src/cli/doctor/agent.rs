//! The agent, and what it says of servers and sessions. Where none answers, the agent's program is asked how far one that
//! was started here would get to the servers; it starts none for that.

use super::checked::{Checked, TableSection};
use super::finding::{Finding, FindingKind};
use super::parts::Parts;
use super::processes::{self, SeenProcess};
use super::{servers, sessions};
use crate::cli::terminal::dates;
use everkey_client::request::{DescribeAgent, Examine};
use everkey_client::{
    Agent, AgentSight, Examination, ExaminedProfile, Expect, Failure, ResolvedProfile, Status,
    UserConfiguration, environment, hint_text, request,
};
use everkey_proto::{Code, Reply};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

/// An agent that is well says hello within this time; then the program is asked meanwhile.
const QUICK: Duration = Duration::from_millis(500);

/// Sends what is found as it is found.
pub fn check(configuration: &UserConfiguration, used: &[ResolvedProfile], parts: &Parts) {
    let holder = processes::holder(&configuration.places.agent_lock());
    // Its hello would be waited for in vain.
    if let Some(holder) = holder.as_ref().filter(|holder| holder.is_stopped) {
        return without_agent(stopped(holder), examine_without_agent(), parts);
    }
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || drop(tell.send(Agent::look())));
    let (sight, examined) = match told.recv_timeout(QUICK) {
        Ok(sight) => (Some(sight), None),
        Err(_late) => {
            let examined = examine_without_agent();
            (told.recv().ok(), Some(examined))
        }
    };
    let finding = match sight {
        Some(Ok(AgentSight::Answers(agent))) => return with_agent(agent, used, parts),
        Some(Ok(AgentSight::Nobody)) => {
            FindingKind::NoAgent.of("", "No agent runs.", "Nothing to do: the next command starts one.")
        }
        Some(Ok(AgentSight::Hidden)) => hidden(configuration, holder.as_ref()),
        Some(Ok(AgentSight::Unusable(failure))) => unusable(failure, holder.as_ref()),
        // Without a place there is nothing to find, which is told elsewhere.
        Some(Err(_)) | None => return,
    };
    without_agent(finding, examined.unwrap_or_else(examine_without_agent), parts);
}

fn without_agent(finding: Finding, examined: Result<Examination, Finding>, parts: &Parts) {
    let mut checked = Checked::of(TableSection::Agent);
    checked.row("Agent", finding.what.trim_end_matches('.'));
    checked.facts.push(("agent", json!(null)));
    checked.findings.push(finding);
    match examined {
        Ok(found) => found.profiles.iter().for_each(|profile| parts.send(without_session(profile))),
        Err(finding) => checked.findings.push(finding),
    }
    parts.send(checked);
}

fn hidden(configuration: &UserConfiguration, holder: Option<&SeenProcess>) -> Finding {
    let socket = configuration.places.socket.display();
    let (who, kill) = match holder {
        Some(holder) => (holder.shown(), format!("`kill {}`", holder.pid)),
        None => ("a process".to_owned(), "kill the everkeyd process".to_owned()),
    };
    let what = format!("The agent runs as {who}, and its socket {socket} is gone.");
    let to_do = format!("It makes another within 5 seconds; if not, {kill}. Your sessions are safe.");
    FindingKind::AgentHidden.of("", what, to_do)
}

fn stopped(holder: &SeenProcess) -> Finding {
    let what = format!("The agent, {}, is stopped and answers nobody.", holder.shown());
    let to_do = format!("Run `kill -CONT {}`. Your sessions are safe.", holder.pid);
    FindingKind::AgentStopped.of("", what, to_do)
}

fn unusable(failure: Failure, holder: Option<&SeenProcess>) -> Finding {
    let is_version = failure.code == Code::Version;
    let kind = if is_version { FindingKind::OtherVersion } else { FindingKind::AgentUnusable };
    let process = holder.map(|holder| format!(" It is {}.", holder.shown())).unwrap_or_default();
    kind.of("", failure.message + &process, hint_text(&failure.hint))
}

fn with_agent(mut agent: Agent, used: &[ResolvedProfile], parts: &Parts) {
    let mut checked = Checked::of(TableSection::Agent);
    let info = match agent.call(DescribeAgent) {
        Ok(info) => info,
        Err(failure) => {
            checked.row("Agent", failure.message.clone());
            checked.findings.push(unusable(failure, None));
            return parts.send(checked);
        }
    };
    let ours = env!("CARGO_PKG_VERSION");
    checked.row("Agent", format!("everkeyd {}, process {}, at {}", info.version, info.pid, info.socket));
    let restart = "Run `everkey agent restart`; no command that runs meanwhile fails.";
    if info.version != ours {
        let what = format!("The agent is everkeyd {}, and this is everkey {ours}.", info.version);
        checked.findings.push(FindingKind::OtherVersion.of("", what, restart));
    }
    let mut facts = json!(info);
    let found = match agent.call(Examine) {
        Ok(found) => found,
        Err(failure) => {
            checked.row("", "it can't look at servers: it is another version than this everkey");
            checked.facts.push(("agent", facts));
            if info.version == ours {
                checked.findings.push(unusable(failure, None));
            }
            return parts.send(checked);
        }
    };
    let program = found.program.clone().unwrap_or_default();
    if found.program_replaced {
        let what = format!("{program} was replaced since the agent started: an older one still runs.");
        checked.findings.push(FindingKind::ProgramReplaced.of(&program, what, restart));
    }
    checked.row("", format!("its program: {program}"));
    let sandbox =
        if found.sandbox.is_empty() { "none in force".to_owned() } else { found.sandbox.join("; ") };
    checked.row("Sandbox", sandbox);
    facts["program"] = json!(found.program);
    facts["program_replaced"] = json!(found.program_replaced);
    facts["is_service"] = json!(found.is_service);
    facts["sandbox"] = json!(found.sandbox);
    checked.facts.push(("agent", facts));
    parts.send(checked);
    for profile in &found.profiles {
        parts.send(with_session(&mut agent, profile, used));
    }
}

/// Only a profile that the agent looks after is asked about: any other would be opened for it.
fn with_session(agent: &mut Agent, profile: &ExaminedProfile, used: &[ResolvedProfile]) -> Checked {
    let mut checked = section(profile);
    let mut fact = json!(profile);
    let known = used.iter().find(|one| one.name == profile.profile).filter(|_| profile.is_open);
    let expect = Expect { server: None, session_file: Some(profile.session_file.clone()) };
    match known.map(|known| agent.for_profile(known).expecting(expect).call(request::Status)) {
        Some(Ok(status)) => {
            sessions::check(&status, profile.last_refresh_at, &mut checked);
            // What is shown of a token helps nobody who helps.
            let bare = Status { masked_token: None, masked_static_token: None, ..status };
            fact["status"] = json!(bare);
        }
        Some(Err(failure)) => {
            let what = format!("The agent says of {}: {}", profile.profile, failure.message);
            let finding = FindingKind::ReadOnlySession.of(&profile.profile, what, hint_text(&failure.hint));
            checked.findings.push(finding);
        }
        None => written(profile, &mut checked),
    }
    servers::check(profile, &mut checked);
    named(checked, profile, fact)
}

fn without_session(profile: &ExaminedProfile) -> Checked {
    let mut checked = section(profile);
    written(profile, &mut checked);
    servers::check(profile, &mut checked);
    named(checked, profile, json!(profile))
}

fn section(profile: &ExaminedProfile) -> Checked {
    Checked::of(TableSection::Profile(profile.profile.clone(), profile.session_file.clone()))
}

fn named(mut checked: Checked, profile: &ExaminedProfile, fact: Value) -> Checked {
    if let Some((name, _)) = checked.rows.first_mut() {
        name.clone_from(&profile.profile);
    }
    checked.facts.push(("profiles", fact));
    checked
}

/// When the session file was written, where nobody knows of a refresh.
fn written(profile: &ExaminedProfile, checked: &mut Checked) {
    let written = std::fs::symlink_metadata(&profile.session_file).and_then(|found| found.modified()).ok();
    let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    checked.row(
        "",
        match written {
            Some(at) => format!("not looked after; session file written {}", dates::local(at.as_secs())),
            None => "no session file".to_owned(),
        },
    );
}

/// By the agent's own program, so that the same code with the same certificates and proxy looks.
fn examine_without_agent() -> Result<Examination, Finding> {
    let program = environment::program("everkeyd");
    let shown = program.display().to_string();
    let mut command = Command::new(&program);
    command.arg("--examine").stdin(Stdio::null());
    if let Some(dir) = environment::auth_dir() {
        command.env("FAILPROOFAI_AUTH_DIR", dir);
    }
    let missing = |e: std::io::Error| {
        let what = format!("Can't run the agent's program {shown} ({e}).");
        let to_do = "Put everkeyd beside everkey, or into a folder of the PATH.";
        FindingKind::ProgramMissing.of(&shown, what, to_do)
    };
    let output = command.output().map_err(missing)?;
    let line = output.stdout.trim_ascii_end();
    match everkey_proto::json::read_reply(line) {
        Ok(Reply::Examined(found)) => Ok(found),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().last().unwrap_or("it says nothing").trim_start_matches("everkeyd: ");
            let what = format!("An agent could not start here: {}.", said.trim_end_matches('.'));
            let to_do = "Mend that, or, if everkeyd is older than everkey, upgrade it.";
            Err(FindingKind::AgentUnusable.of("", everkey_redact::text(&what), to_do))
        }
    }
}
