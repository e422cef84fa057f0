//! The agent as a service of its user: what has to be done for it and against it, as steps that are shown or taken.

mod files;
mod home;
mod launchd;
mod left_behind;
mod step;
mod systemd;

pub use left_behind::{KeptThings, left_behind};
pub use step::{ServiceStep, StepResult};

use everkey_client::{Failure, environment};
use everkey_proto::Code;
use std::path::PathBuf;

/// Who runs services for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceManager {
    Systemd,
    Launchd,
}

impl ServiceManager {
    /// The one of this machine, if it runs for this user.
    pub fn find() -> Option<Self> {
        if cfg!(target_os = "macos") {
            return Some(Self::Launchd);
        }
        systemd::runs().then_some(Self::Systemd)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Launchd => "launchd",
        }
    }

    /// What is still to be done for a service; nothing where it is there already.
    pub fn install(self) -> Result<Vec<ServiceStep>, Failure> {
        let agent = program()?;
        match self {
            Self::Systemd => systemd::install(&agent),
            Self::Launchd => launchd::install(&agent),
        }
    }

    /// What is to be done about a service that does not start; nothing where nothing helps.
    pub fn mend(self) -> Result<Vec<ServiceStep>, Failure> {
        match self {
            Self::Systemd if systemd::lacks_namespaces() => systemd::without_namespaces(),
            Self::Systemd | Self::Launchd => Ok(Vec::new()),
        }
    }

    /// What ends the service and removes what `install` has made.
    pub fn uninstall(self) -> Result<Vec<ServiceStep>, Failure> {
        match self {
            Self::Systemd => systemd::uninstall(),
            Self::Launchd => launchd::uninstall(),
        }
    }
}

/// The agent's program by its full path, as a service has to name it.
fn program() -> Result<PathBuf, Failure> {
    let program = environment::program("everkeyd");
    if program.is_absolute() {
        return Ok(program);
    }
    let found =
        environment::program_dirs().into_iter().map(|dir| dir.join(&program)).find(|path| path.is_file());
    found.and_then(|path| std::path::absolute(path).ok()).ok_or_else(|| {
        Failure::new(
            Code::NoAgent,
            "There is no everkeyd that a service could run.",
            "Put everkeyd beside everkey, or into a folder of the PATH.",
        )
    })
}
