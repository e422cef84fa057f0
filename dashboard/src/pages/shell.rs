//! What every page shares: the frame around its live region.

use super::clock::Clock;
use crate::agent;
use askama::Template;
use everkey_client::{Failure, Secret, hint_text};
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
    agent: Result<String, Absence>,
    /// How far from UTC the times are, most of which are too short to say so.
    offset: String,
    /// By which the page knows the answers of the dashboard that made it.
    proof_key: Secret,
}

impl Shell {
    /// The page around `region`; `agent` is the version of the one that answers.
    pub fn new(here: Section, region: String, agent: Result<String, Absence>, proof_key: Secret) -> Self {
        Self { here, region, agent, offset: Clock::system().offset(), proof_key }
    }
}

/// How it is with an agent that can't be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// None runs.
    Gone,
    /// One is there, and no answer comes from it.
    Stuck,
    /// It is of no use, or something else is in the way.
    Odd,
}

impl Absence {
    /// What a question to it failed of.
    pub fn of(failure: &Failure) -> Self {
        match failure.code {
            Code::NoAgent if *failure == agent::gone() => Self::Gone,
            Code::NoAgent => Self::Stuck,
            _ => Self::Odd,
        }
    }

    /// By which the page's script knows it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stuck => "stuck",
            Self::Odd => "odd",
        }
    }

    /// In the header.
    fn words(self) -> &'static str {
        match self {
            Self::Gone => "Agent not running",
            Self::Stuck => "Agent does not answer",
            Self::Odd => "Agent can't be asked",
        }
    }
}

/// What stands in the region's place where the agent can't be asked.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct AgentProblem {
    absence: Absence,
    message: String,
    hint: String,
}

impl AgentProblem {
    /// Why there is nothing to show.
    pub fn new(failure: &Failure) -> Self {
        Self {
            absence: Absence::of(failure),
            message: failure.message.clone(),
            hint: hint_text(&failure.hint),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gone_agent_is_distinguished_from_a_stuck_one() {
        let silent = Failure::new(Code::NoAgent, "The agent at /s does not answer.", "Try again.");
        for (failure, absence, words) in [
            (agent::gone(), Absence::Gone, "The agent is not running"),
            (silent, Absence::Stuck, "The agent does not answer"),
            (Failure::new(Code::Version, "Newer.", "Upgrade."), Absence::Odd, "The agent can't be asked"),
        ] {
            assert_eq!(Absence::of(&failure), absence, "{failure:?}");
            let card = AgentProblem::new(&failure).render().unwrap();
            assert!(card.contains(&format!(">{words}</h2>")), "{card}");
            assert!(card.contains("data-unsettled"), "the page looks again: {card}");
            assert!(card.contains(&format!("data-agent=\"{}\"", absence.as_str())), "{card}");
            assert_eq!(card.contains("Start the agent"), absence == Absence::Gone, "{card}");
            let page = Shell::new(Section::Sessions, card, Err(absence), Secret::new("k")).render().unwrap();
            let words = absence.words().replace('\'', "&#39;");
            assert!(page.contains(&format!("<span id=\"agent-words\">{words}</span>")), "{page}");
        }
    }
}
