//! A reply as a line of JSON.

use super::event::EventLine;
use super::line::{self, LineError};
use crate::reply::{
    Access, AgentInfo, CodeSent, Failure, Field, Inspection, Refreshed, Reminder, Reply, Revocation, Short,
    Status, Step, Token, User,
};
use crate::{FlowId, Secret};
use serde::{Deserialize, Serialize};

/// One reply line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum ReplyLine {
    /// See [`Reply::Whoami`].
    Whoami {
        /// Who it is, if the server says so.
        #[serde(flatten)]
        user: Option<User>,
    },
    /// See [`Reply::Status`].
    Status(Box<Status>),
    /// See [`Reply::Token`].
    Token {
        /// The token.
        access_token: Secret,
        /// Unix seconds, if somebody says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<u64>,
        /// Why it is valid for less than was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short: Option<Short>,
    },
    /// See [`Reply::Refreshed`].
    Refreshed(Refreshed),
    /// See [`Step::Ask`].
    Ask {
        /// The flow.
        flow: FlowId,
        /// What is asked for.
        field: Field,
        /// How many tries are left.
        tries: u8,
        /// Why it is asked again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Failure>,
        /// Where the code went.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<CodeSent>,
    },
    /// See [`Step::Done`].
    Done {
        /// Who it is, if the server says so.
        user: Option<User>,
        /// Whether it was so before.
        already: bool,
    },
    /// See [`Step::Show`].
    Show {
        /// The flow.
        flow: FlowId,
        /// The address.
        url: String,
        /// The address with the code in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        complete_url: Option<String>,
        /// The code.
        user_code: String,
        /// Unix seconds.
        expires_at: u64,
    },
    /// See [`Step::Open`].
    Open {
        /// The flow.
        flow: FlowId,
        /// The page.
        url: String,
        /// The port that the browser comes back to.
        port: u16,
        /// Unix seconds.
        expires_at: u64,
    },
    /// See [`Reply::LoggedOut`].
    LoggedOut {
        /// What the server knows of it.
        revocation: Revocation,
    },
    /// See [`Reply::Agent`].
    Agent(AgentInfo),
    /// See [`Reply::Stopping`].
    Stopping,
    /// See [`Reply::Failed`].
    Error(Failure),
    /// See [`Reply::Inspected`].
    Inspected(Inspection),
    /// See [`Reply::Reminder`].
    Reminder {
        /// The reminder, or null.
        reminder: Option<Reminder>,
    },
    /// See [`Reply::Following`].
    Following,
    /// See [`Reply::Event`].
    Event(EventLine),
    /// See [`Reply::Accesses`].
    Accesses {
        /// The newest first.
        accesses: Vec<Access>,
    },
}

impl From<Reply> for ReplyLine {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Whoami(user) => Self::Whoami { user },
            Reply::Status(status) => Self::Status(status),
            Reply::Token(Token { access_token, expires_at, short }) => {
                Self::Token { access_token, expires_at, short }
            }
            Reply::Refreshed(refreshed) => Self::Refreshed(refreshed),
            Reply::Step(Step::Ask { flow, field, tries, again, sent }) => {
                Self::Ask { flow, field, tries, again, sent }
            }
            Reply::Step(Step::Done { user, already }) => Self::Done { user, already },
            Reply::Step(Step::Show { flow, url, complete_url, user_code, expires_at }) => {
                Self::Show { flow, url, complete_url, user_code, expires_at }
            }
            Reply::Step(Step::Open { flow, url, port, expires_at }) => {
                Self::Open { flow, url, port, expires_at }
            }
            Reply::LoggedOut(revocation) => Self::LoggedOut { revocation },
            Reply::Agent(info) => Self::Agent(info),
            Reply::Stopping => Self::Stopping,
            Reply::Failed(failure) => Self::Error(failure),
            Reply::Inspected(inspection) => Self::Inspected(inspection),
            Reply::Reminder(reminder) => Self::Reminder { reminder },
            Reply::Following => Self::Following,
            Reply::Event(event) => Self::Event(event.into()),
            Reply::Accesses(accesses) => Self::Accesses { accesses },
        }
    }
}

impl From<ReplyLine> for Reply {
    fn from(line: ReplyLine) -> Self {
        match line {
            ReplyLine::Whoami { user } => Self::Whoami(user),
            ReplyLine::Status(status) => Self::Status(status),
            ReplyLine::Token { access_token, expires_at, short } => {
                Self::Token(Token { access_token, expires_at, short })
            }
            ReplyLine::Refreshed(refreshed) => Self::Refreshed(refreshed),
            ReplyLine::Ask { flow, field, tries, again, sent } => {
                Self::Step(Step::Ask { flow, field, tries, again, sent })
            }
            ReplyLine::Done { user, already } => Self::Step(Step::Done { user, already }),
            ReplyLine::Show { flow, url, complete_url, user_code, expires_at } => {
                Self::Step(Step::Show { flow, url, complete_url, user_code, expires_at })
            }
            ReplyLine::Open { flow, url, port, expires_at } => {
                Self::Step(Step::Open { flow, url, port, expires_at })
            }
            ReplyLine::LoggedOut { revocation } => Self::LoggedOut(revocation),
            ReplyLine::Agent(info) => Self::Agent(info),
            ReplyLine::Stopping => Self::Stopping,
            ReplyLine::Error(failure) => Self::Failed(failure),
            ReplyLine::Inspected(inspection) => Self::Inspected(inspection),
            ReplyLine::Reminder { reminder } => Self::Reminder(reminder),
            ReplyLine::Following => Self::Following,
            ReplyLine::Event(event) => Self::Event(event.into()),
            ReplyLine::Accesses { accesses } => Self::Accesses(accesses),
        }
    }
}

/// Reads one reply line (without its newline). Fields that a newer agent appended are passed over.
///
/// # Errors
/// [`LineError::Shape`], and [`LineError::UnknownWord`] for a reply or a state that only a newer agent knows.
pub fn read_reply(line: &[u8]) -> Result<Reply, LineError> {
    line::read::<ReplyLine>(line).map(Reply::from)
}
