//! One step of an installation: shown beforehand, or taken.

use super::files;
use everkey_client::Agent;
use everkey_client::Failure;
use everkey_client::request::Stop;
use everkey_proto::Code;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceStep {
    /// A file with this text, for others to read.
    Write { path: PathBuf, text: String },
    /// A file that everkey made.
    Remove { path: PathBuf },
    /// A file of somebody else, which stays.
    Leave { path: PathBuf, why: &'static str },
    /// A folder that is everkey's alone, with what is in it.
    RemoveTree { path: PathBuf },
    /// A folder, if nothing is left in it.
    RemoveFolder { path: PathBuf, if_not_empty: IfItFails },
    /// A program of the service manager.
    Run { command: Vec<String>, if_it_fails: IfItFails },
    /// Whatever agent runs now finishes what is under way and ends, so that the service takes its place.
    StopAgent,
}

/// What comes of a program that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfItFails {
    Stop,
    GoOn,
    /// It only tidies up.
    SayNothing,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    Done,
    /// It was not needed.
    Nothing,
    /// It is left as it is, for this reason.
    Left(String),
}

impl ServiceStep {
    pub fn run(command: &[&str]) -> Self {
        Self::attempt(command, IfItFails::Stop)
    }

    pub fn attempt(command: &[&str], if_it_fails: IfItFails) -> Self {
        Self::Run { command: command.iter().map(|word| (*word).to_owned()).collect(), if_it_fails }
    }

    /// What it is about.
    pub fn path(&self) -> String {
        match self {
            Self::Write { path, .. }
            | Self::Remove { path }
            | Self::Leave { path, .. }
            | Self::RemoveTree { path }
            | Self::RemoveFolder { path, .. } => path.display().to_string(),
            Self::Run { .. } | Self::StopAgent => self.to_string(),
        }
    }

    /// Whether nobody needs to be told beforehand.
    pub fn only_tidies_up(&self) -> bool {
        match self {
            Self::RemoveFolder { if_not_empty: if_it_fails, .. } | Self::Run { if_it_fails, .. } => {
                *if_it_fails == IfItFails::SayNothing
            }
            Self::Write { .. }
            | Self::Remove { .. }
            | Self::Leave { .. }
            | Self::RemoveTree { .. }
            | Self::StopAgent => false,
        }
    }

    pub fn take(&self) -> Result<StepResult, Failure> {
        match self {
            Self::Write { path, text } => {
                files::write(path, text).map(|()| StepResult::Done).map_err(|e| failed(self, &e.to_string()))
            }
            Self::Remove { path } => match std::fs::remove_file(path) {
                Ok(()) => Ok(StepResult::Done),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(StepResult::Nothing),
                Err(e) => Err(failed(self, &e.to_string())),
            },
            Self::Leave { why, .. } => Ok(StepResult::Left((*why).to_owned())),
            Self::RemoveTree { path } => match std::fs::remove_dir_all(path) {
                Ok(()) => Ok(StepResult::Done),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(StepResult::Nothing),
                Err(e) => Err(failed(self, &e.to_string())),
            },
            Self::RemoveFolder { path, if_not_empty } => match (std::fs::remove_dir(path), if_not_empty) {
                (Ok(()), _) => Ok(StepResult::Done),
                (Err(e), _) if e.kind() == std::io::ErrorKind::NotFound => Ok(StepResult::Nothing),
                (Err(_), IfItFails::SayNothing) => Ok(StepResult::Nothing),
                (Err(e), IfItFails::Stop) => Err(failed(self, &e.to_string())),
                (Err(e), IfItFails::GoOn) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                    Ok(StepResult::Left("something that everkey did not make is in it".to_owned()))
                }
                (Err(e), IfItFails::GoOn) => Ok(StepResult::Left(e.to_string())),
            },
            Self::Run { command, if_it_fails } => match (run(command), if_it_fails) {
                (Ok(()), _) => Ok(StepResult::Done),
                (Err(why), IfItFails::Stop) => Err(failed(self, &why)),
                (Err(why), IfItFails::GoOn) => Ok(StepResult::Left(why)),
                (Err(_), IfItFails::SayNothing) => Ok(StepResult::Nothing),
            },
            Self::StopAgent => match Agent::find()? {
                Some(mut agent) => agent.call(Stop).map(|()| StepResult::Done),
                None => Ok(StepResult::Nothing),
            },
        }
    }
}

/// As what is to be done: `write /home/ada/...`.
impl Display for ServiceStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { path, .. } => write!(f, "write {}", path.display()),
            Self::Remove { path } | Self::RemoveTree { path } | Self::RemoveFolder { path, .. } => {
                write!(f, "remove {}", path.display())
            }
            Self::Leave { path, .. } => write!(f, "leave {}", path.display()),
            Self::Run { command, .. } => write!(f, "run {}", command.join(" ")),
            Self::StopAgent => write!(f, "stop the agent, once it has finished what is under way"),
        }
    }
}

fn run(command: &[String]) -> Result<(), String> {
    let Some((program, words)) = command.split_first() else { return Ok(()) };
    let output =
        Command::new(program).args(words).stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    Err(if said.is_empty() { output.status.to_string() } else { said.replace('\n', " ") })
}

fn failed(step: &ServiceStep, why: &str) -> Failure {
    let hint = "What was done before stays; the same command goes on from there.";
    Failure::new(Code::Storage, format!("Can't {step}: {}.", why.trim_end_matches('.')), hint)
}
