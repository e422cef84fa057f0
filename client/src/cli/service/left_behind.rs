//! What an agent leaves behind once it has ended, and how it is removed. Only names that everkey gives are touched.

use super::step::{IfItFails, ServiceStep};
use crate::cli::config_file::MADE_BY_PROFILE_ADD;
use everkey_client::UserConfiguration;
use everkey_config::paths::Places;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// What `--keep` names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeptThings {
    #[default]
    Nothing,
    /// The sessions, what is remembered of them, and the accounts that they belong to.
    Sessions,
}

/// In the state folder.
const LOGS: [&str; 6] =
    ["agent.lock", "agent.log", "agent.log.1", "access.jsonl", "access.jsonl.1", "dashboard.json"];

/// In the state folder: what is remembered of sessions.
const OF_SESSIONS: [&str; 5] = ["sessions", "revocations", "clients", "sign-ins", "reminders"];

/// The steps that remove it.
pub fn left_behind(configuration: &UserConfiguration, kept: KeptThings) -> Vec<ServiceStep> {
    let places = &configuration.places;
    let mut steps = Vec::new();
    if !places.socket_named {
        steps.extend(runtime(&places.runtime));
    }
    steps.extend(runtime(&places.state.join("run")));
    steps.extend(there(&places.state, &LOGS).map(|path| ServiceStep::Remove { path }));
    if kept == KeptThings::Sessions {
        return steps;
    }
    steps.extend(there(&places.state, &OF_SESSIONS).map(|path| ServiceStep::RemoveTree { path }));
    steps.extend(folder(&places.state, IfItFails::GoOn));
    for profile in &configuration.profiles {
        steps.extend(beside(&profile.session_file));
    }
    steps.extend(config(places));
    steps
}

/// The sockets, and the pages that browsers were opened by.
fn runtime(path: &Path) -> Vec<ServiceStep> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        let name = entry.file_name();
        let page = name.to_str().is_some_and(|name| name.starts_with("open-") && name.ends_with(".html"));
        page || entry.file_type().is_ok_and(|kind| kind.is_socket())
    });
    let files = ours.map(|entry| ServiceStep::Remove { path: entry.path() });
    files.chain(folder(path, IfItFails::GoOn)).collect()
}

fn there(folder: &Path, names: &'static [&str]) -> impl Iterator<Item = PathBuf> {
    let folder = folder.to_owned();
    names.iter().map(move |name| folder.join(name)).filter(|path| path.symlink_metadata().is_ok())
}

fn folder(path: &Path, if_not_empty: IfItFails) -> Option<ServiceStep> {
    path.is_dir().then(|| ServiceStep::RemoveFolder { path: path.to_owned(), if_not_empty })
}

/// The lock and the journal; the folder stays if its tool has anything in it.
fn beside(session_file: &Path) -> Vec<ServiceStep> {
    let name = session_file.file_name().unwrap_or_default().to_string_lossy();
    let files =
        ["lock", "journal"].map(|kind| session_file.with_file_name(format!(".{name}.everkey-{kind}")));
    let mut steps: Vec<_> =
        files.into_iter().filter(|path| path.is_file()).map(|path| ServiceStep::Remove { path }).collect();
    if !steps.is_empty() {
        steps.extend(session_file.parent().and_then(|path| folder(path, IfItFails::SayNothing)));
    }
    steps
}

/// A configuration that a person wrote stays.
fn config(places: &Places) -> Vec<ServiceStep> {
    let path = &places.config;
    let lock = path.with_file_name(".config.toml.everkey-lock");
    let lock = lock.is_file().then_some(ServiceStep::Remove { path: lock });
    let around = path.parent().and_then(|path| folder(path, IfItFails::SayNothing));
    match fs::read_to_string(path) {
        // What is added comes before it where it is about all accounts.
        Ok(text) if text.lines().any(|line| line == MADE_BY_PROFILE_ADD) => {
            lock.into_iter().chain([ServiceStep::Remove { path: path.clone() }]).chain(around).collect()
        }
        Ok(_) => {
            let leave = ServiceStep::Leave { path: path.clone(), why: "you may have written it yourself" };
            lock.into_iter().chain([leave]).collect()
        }
        Err(_) => lock.into_iter().chain(around).collect(),
    }
}
