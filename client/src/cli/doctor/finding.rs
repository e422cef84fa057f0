//! What can be wrong, each kind once.

use serde::Serialize;

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: FindingLevel,
    pub kind: FindingKind,
    /// The file, the profile or the server that it is about; empty where it is the agent.
    pub about: String,
    /// What is so, in a sentence.
    pub what: String,
    /// What helps, in a line.
    pub to_do: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingLevel {
    /// Something does not work, or will not before long.
    Problem,
    /// Worth knowing.
    Note,
}

/// The kinds of findings, as programs read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    NoHome,
    ConfigMistake,
    UnknownProfile,
    NoAgent,
    AgentStopped,
    AgentHidden,
    AgentUnusable,
    OtherVersion,
    ProgramReplaced,
    ProgramMissing,
    ForeignOwner,
    OpenToOthers,
    Link,
    NotAFile,
    Unreadable,
    LockHeld,
    SetAside,
    DiskFull,
    DiskReadOnly,
    NetworkFileSystem,
    NoSuchHost,
    NoConnection,
    ProxyFails,
    CertificateTime,
    CertificateRefused,
    NoAnswer,
    ServerError,
    ClockOff,
    SessionEnded,
    NotSignedIn,
    Offline,
    InDoubt,
    ReadOnlySession,
    SignInAhead,
    SignOutPending,
    ReplayUnknown,
    UnitFailed,
    UnitStopped,
    NoLingering,
    Unfinished,
}

impl FindingKind {
    fn level(self) -> FindingLevel {
        match self {
            Self::NoAgent
            | Self::SetAside
            | Self::NotSignedIn
            | Self::SignInAhead
            | Self::SignOutPending
            | Self::ReplayUnknown
            | Self::NoLingering => FindingLevel::Note,
            Self::NoHome
            | Self::ConfigMistake
            | Self::UnknownProfile
            | Self::AgentStopped
            | Self::AgentHidden
            | Self::AgentUnusable
            | Self::OtherVersion
            | Self::ProgramReplaced
            | Self::ProgramMissing
            | Self::ForeignOwner
            | Self::OpenToOthers
            | Self::Link
            | Self::NotAFile
            | Self::Unreadable
            | Self::LockHeld
            | Self::DiskFull
            | Self::DiskReadOnly
            | Self::NetworkFileSystem
            | Self::NoSuchHost
            | Self::NoConnection
            | Self::ProxyFails
            | Self::CertificateTime
            | Self::CertificateRefused
            | Self::NoAnswer
            | Self::ServerError
            | Self::ClockOff
            | Self::SessionEnded
            | Self::Offline
            | Self::InDoubt
            | Self::ReadOnlySession
            | Self::UnitFailed
            | Self::UnitStopped
            | Self::Unfinished => FindingLevel::Problem,
        }
    }

    /// A finding of this kind.
    pub fn of(self, about: impl Into<String>, what: impl Into<String>, to_do: impl Into<String>) -> Finding {
        Finding {
            level: self.level(),
            kind: self,
            about: about.into(),
            what: what.into(),
            to_do: to_do.into(),
        }
    }
}
