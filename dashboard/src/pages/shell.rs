//! What every page shares: the frame around its live region.

use askama::Template;
use everkey_client::Failure;
use everkey_proto::Code;

/// Which page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `/`.
    Sessions,
    /// `/audit`.
    Audit,
    /// `/access`.
    Access,
    /// `/activity`.
    Activity,
}

impl Section {
    /// All of them, as the navigation lists them.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::Audit, Self::Access, Self::Activity];

    fn path(self) -> &'static str {
        match self {
            Self::Sessions => "/",
            Self::Audit => "/audit",
            Self::Access => "/access",
            Self::Activity => "/activity",
        }
    }

    fn fragment(self) -> &'static str {
        match self {
            Self::Sessions => "/fragment/sessions",
            Self::Audit => "/fragment/audit",
            Self::Access => "/fragment/access",
            Self::Activity => "/fragment/activity",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::Audit => "Re-audit",
            Self::Access => "Access",
            Self::Activity => "Activity",
        }
    }

    fn lead(self) -> &'static str {
        match self {
            Self::Sessions => "Every account of your command-line tools on this machine.",
            Self::Audit => {
                "Coding agents pick up new habits. Set a reminder to audit yours again; when it is time, \
                 this machine tells you, and the api-server sends an email."
            }
            Self::Access => "Which program was handed a token of which account, and when.",
            Self::Activity => "What has happened since the agent started, as it happens.",
        }
    }
}

/// A whole page.
#[derive(Debug, Template)]
#[template(path = "shell.html")]
pub struct Shell {
    here: Section,
    /// HTML of the region, rendered by a template of its own.
    region: String,
    agent: Option<String>,
}

impl Shell {
    /// The page around `region`; `agent` is the version of the one that runs.
    pub fn new(here: Section, region: String, agent: Option<String>) -> Self {
        Self { here, region, agent }
    }
}

/// What stands in the region's place where the agent can't be asked.
#[derive(Debug, Template)]
#[template(path = "trouble.html")]
pub struct Trouble {
    gone: bool,
    message: String,
    hint: String,
}

impl Trouble {
    /// Why there is nothing to show.
    pub fn new(failure: &Failure) -> Self {
        Self {
            gone: failure.code == Code::NoAgent,
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }
    }
}
