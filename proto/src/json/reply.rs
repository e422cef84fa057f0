//! A reply as a line of JSON.

use super::event::EventLine;
use super::line::{self, LineError};
use crate::reply::{
    Access, AccessPage, AgentInfo, CodeSent, Examination, Failure, Field, Inspection, Refreshed, Reminder,
    Reply, Revocation, Short, Status, Step, Token, User,
};
use crate::{FlowId, Secret};
use serde::{Deserialize, Serialize};

/// One reply line. Each variant is the [`Reply`] or the [`Step`] of that name.
#[allow(missing_docs)] // said at the types of those names
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum ReplyLine {
    Whoami {
        #[serde(flatten)]
        user: Option<User>,
    },
    Status(Box<Status>),
    Token {
        access_token: Secret,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        short: Option<Short>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_ended: Option<String>,
    },
    Refreshed(Refreshed),
    Ask {
        flow: FlowId,
        field: Field,
        tries: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Failure>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<CodeSent>,
    },
    Done {
        user: Option<User>,
        already: bool,
    },
    Show {
        flow: FlowId,
        url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        complete_url: Option<String>,
        user_code: String,
        expires_at: u64,
    },
    Open {
        flow: FlowId,
        url: String,
        port: u16,
        expires_at: u64,
    },
    LoggedOut {
        revocation: Revocation,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    Agent(AgentInfo),
    Stopping,
    Error(Failure),
    Inspected(Inspection),
    Reminder {
        reminder: Option<Reminder>,
    },
    Following,
    Event(EventLine),
    Accesses {
        accesses: Vec<Access>,
    },
    AccessLog(AccessPage),
    Examined(Examination),
}

impl From<Reply> for ReplyLine {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Whoami(user) => Self::Whoami { user },
            Reply::Status(status) => Self::Status(status),
            Reply::Token(Token { access_token, expires_at, short, session_ended }) => {
                Self::Token { access_token, expires_at, short, session_ended }
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
            Reply::LoggedOut { revocation, why } => Self::LoggedOut { revocation, why },
            Reply::Agent(info) => Self::Agent(info),
            Reply::Stopping => Self::Stopping,
            Reply::Failed(failure) => Self::Error(failure),
            Reply::Inspected(inspection) => Self::Inspected(inspection),
            Reply::Reminder(reminder) => Self::Reminder { reminder },
            Reply::Following => Self::Following,
            Reply::Event(event) => Self::Event(event.into()),
            Reply::Accesses(accesses) => Self::Accesses { accesses },
            Reply::AccessLog(page) => Self::AccessLog(page),
            Reply::Examined(found) => Self::Examined(found),
        }
    }
}

impl From<ReplyLine> for Reply {
    fn from(line: ReplyLine) -> Self {
        match line {
            ReplyLine::Whoami { user } => Self::Whoami(user),
            ReplyLine::Status(status) => Self::Status(status),
            ReplyLine::Token { access_token, expires_at, short, session_ended } => {
                Self::Token(Token { access_token, expires_at, short, session_ended })
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
            ReplyLine::LoggedOut { revocation, why } => Self::LoggedOut { revocation, why },
            ReplyLine::Agent(info) => Self::Agent(info),
            ReplyLine::Stopping => Self::Stopping,
            ReplyLine::Error(failure) => Self::Failed(failure),
            ReplyLine::Inspected(inspection) => Self::Inspected(inspection),
            ReplyLine::Reminder { reminder } => Self::Reminder(reminder),
            ReplyLine::Following => Self::Following,
            ReplyLine::Event(event) => Self::Event(event.into()),
            ReplyLine::Accesses { accesses } => Self::Accesses(accesses),
            ReplyLine::AccessLog(page) => Self::AccessLog(page),
            ReplyLine::Examined(found) => Self::Examined(found),
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
