//! Runs the checks side by side, and waits for none longer than the whole may take.

use super::checked::{Checked, TableSection};
use super::finding::{Finding, FindingKind, FindingLevel};
use super::parts::{CheckMessage, CheckName, Parts};
use super::{agent, files, log, setup, units};
use crate::cli::terminal::output;
use everkey_client::{ResolvedProfile, UserConfiguration};
use everkey_proto::DEFAULT_PROFILE;
use serde_json::{Map, Value, json};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long all of it may take: what a person waits for without wondering, less what it takes to start and to print.
const PATIENCE: Duration = Duration::from_millis(2_800);

/// After this time a person is told that it goes on.
const QUIET: Duration = Duration::from_secs(1);

/// Everything that was found.
pub struct Diagnosis {
    pub rows: Vec<(String, String)>,
    /// Problems first.
    pub findings: Vec<Finding>,
    facts: Map<String, Value>,
}

/// Examines this user's everkey. Changes nothing, and starts no agent.
pub fn diagnose() -> Diagnosis {
    let configuration = match UserConfiguration::read() {
        Ok(configuration) => Arc::new(configuration),
        Err(failure) => return Diagnosis::of(vec![setup::no_home(&failure)]),
    };
    let deadline = Instant::now() + PATIENCE;
    let used: Arc<[ResolvedProfile]> = used(&configuration).into();
    let (tell, told) = channel();
    for name in CheckName::ALL {
        let (configuration, used, parts) = (Arc::clone(&configuration), Arc::clone(&used), Parts::to(&tell));
        thread::spawn(move || {
            match name {
                CheckName::Agent => agent::check(&configuration, &used, &parts),
                CheckName::Files => parts.send(files::check(&configuration, &used)),
                CheckName::Units => parts.send(units::check()),
                CheckName::Log => parts.send(log::check(&configuration.places)),
            }
            parts.done(name);
        });
    }
    let mut parts = collect(&told, deadline);
    parts.push(setup::check(&configuration));
    Diagnosis::of(parts)
}

/// What there is to look at, and the profile that is meant where none is named.
fn used(configuration: &UserConfiguration) -> Vec<ResolvedProfile> {
    let default = configuration.config.default.as_deref().unwrap_or(DEFAULT_PROFILE);
    let is_used = |profile: &&ResolvedProfile| profile.name == default || configuration.is_used(profile);
    configuration.profiles.iter().filter(is_used).cloned().collect()
}

fn collect(told: &Receiver<CheckMessage>, deadline: Instant) -> Vec<Checked> {
    let mut parts = Vec::new();
    let mut open = CheckName::ALL.to_vec();
    let mut wait = Instant::now() + QUIET;
    while !open.is_empty() {
        match told.recv_timeout(wait.min(deadline).saturating_duration_since(Instant::now())) {
            Ok(CheckMessage::Part(part)) => parts.push(part),
            Ok(CheckMessage::Done(name)) => open.retain(|one| *one != name),
            Err(_late) if wait < deadline => {
                wait = deadline;
                still_looking(&open);
            }
            Err(_late) => break,
        }
    }
    let mut late = Checked::of(TableSection::Setup);
    for name in open.into_iter().map(CheckName::as_str) {
        let what = format!("Looking at {name} took too long; what is said of it may not be all.");
        let to_do = "Run `everkey doctor` again; a disk or a network that hangs is the likely reason.";
        late.findings.push(FindingKind::Unfinished.of(name, what, to_do));
    }
    parts.push(late);
    parts
}

fn still_looking(open: &[CheckName]) {
    let names: Vec<_> = open.iter().map(|name| name.as_str()).collect();
    if io::stderr().is_terminal() {
        output::error_line(format_args!("Still looking: {} ...", names.join(", ")));
    }
}

impl Diagnosis {
    fn of(mut parts: Vec<Checked>) -> Self {
        parts.sort_by(|a, b| a.section.cmp(&b.section));
        let mut all = Self { rows: Vec::new(), findings: Vec::new(), facts: Map::new() };
        for part in parts {
            all.rows.extend(part.rows);
            all.findings.extend(part.findings);
            for (name, value) in part.facts {
                match name {
                    "profiles" => {
                        let list = all.facts.entry(name).or_insert_with(|| json!([]));
                        list.as_array_mut().into_iter().for_each(|list| list.push(value.clone()));
                    }
                    _ => drop(all.facts.insert(name.to_owned(), value)),
                }
            }
        }
        all.findings.sort_by_key(|finding| finding.level);
        all
    }

    /// The agent's version, if one answers.
    pub fn agent_version(&self) -> Option<&str> {
        self.facts.get("agent")?["version"].as_str()
    }

    /// Whether the agent is systemd's, whose log is in the journal, or may have been.
    pub fn has_service(&self) -> bool {
        self.facts.get("units").is_some_and(Value::is_object)
    }

    /// Whether nothing needs mending.
    pub fn is_well(&self) -> bool {
        self.problems() == 0
    }

    pub fn problems(&self) -> usize {
        self.findings.iter().filter(|finding| finding.level == FindingLevel::Problem).count()
    }

    /// All of it as one object.
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("well".to_owned(), json!(self.is_well()));
        object.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        object.insert("findings".to_owned(), json!(self.findings));
        object.extend(self.facts.clone());
        Value::Object(object)
    }
}
