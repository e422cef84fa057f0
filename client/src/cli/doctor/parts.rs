//! How a check hands over what it finds, as it finds it: time may be up before it is done.

use super::checked::Checked;
use std::sync::mpsc::Sender;

/// Where a check sends what it has found so far.
pub struct Parts(Sender<CheckMessage>);

/// What a check sends.
pub enum CheckMessage {
    Part(Checked),
    Done(CheckName),
}

/// The checks, which run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckName {
    Agent,
    Files,
    Units,
    Log,
}

impl CheckName {
    pub const ALL: [Self; 4] = [Self::Agent, Self::Files, Self::Units, Self::Log];

    /// What it looks at.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent and servers",
            Self::Files => "files and disks",
            Self::Units => "systemd units",
            Self::Log => "log",
        }
    }
}

impl Parts {
    pub fn to(all: &Sender<CheckMessage>) -> Self {
        Self(all.clone())
    }

    pub fn send(&self, part: Checked) {
        // Nobody listens any more once time is up.
        let _ = self.0.send(CheckMessage::Part(part));
    }

    pub fn done(&self, name: CheckName) {
        let _ = self.0.send(CheckMessage::Done(name));
    }
}
