//! The same requests and replies as JSON, one object a line, for languages without a library.
//! Types of their own, because bincode can't carry tags, flattening or skipped fields.
//! Errors never echo the input: it may hold a secret.

use crate::hello::{AgentHello, ClientHello};
use crate::json_event::EventLine;
use crate::reply::{
    Access, AgentInfo, CodeSent, Failure, Field, Inspection, Reminder, Reply, Revocation, Short, Status,
    Step, Token, User,
};
use crate::request::When;
use crate::{Expect, FlowId, Request, Scheme, Secret, Verb};
use serde::{Deserialize, Serialize};

/// A line is not a request or reply; the text says what is wrong with it, without quoting it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotALine {
    /// Not JSON, or not of the documented shape.
    #[error("the line is not a message as proto/README.md describes it (column {column})")]
    Shape {
        /// Where reading stopped.
        column: usize,
    },
    /// The request lacks a field that its kind needs.
    #[error("the request needs the field \"{0}\"")]
    Missing(&'static str),
    /// The request has a field that means nothing to its kind.
    #[error("the request takes no field \"{0}\"")]
    Superfluous(&'static str),
}

/// `{"hello":{"oldest":1,"newest":1,"client":"name"}}`; the field names are frozen for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelloLine {
    /// The versions and the name.
    pub hello: HelloBody,
}

/// The inside of a client's hello line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloBody {
    /// The oldest version the client speaks.
    pub oldest: u16,
    /// The newest version the client speaks.
    pub newest: u16,
    /// The program, for the access log.
    #[serde(default)]
    pub client: String,
}

/// `{"hello":{"chosen":1,"oldest":1,"newest":1,"agent":"everkeyd 0.1.0"}}`; `chosen` 0 means none in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentHelloLine {
    /// The versions and the name.
    pub hello: AgentHelloBody,
}

/// The inside of the agent's hello line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentHelloBody {
    /// The version both speak from now on; 0 when there is none in common.
    pub chosen: u16,
    /// The oldest version the agent speaks.
    pub oldest: u16,
    /// The newest version the agent speaks.
    pub newest: u16,
    /// The agent and its version.
    pub agent: String,
}

impl From<HelloLine> for ClientHello {
    fn from(line: HelloLine) -> Self {
        Self { oldest: line.hello.oldest, newest: line.hello.newest, name: line.hello.client }
    }
}

impl From<AgentHello> for AgentHelloLine {
    fn from(hello: AgentHello) -> Self {
        let AgentHello { chosen, oldest, newest, name } = hello;
        Self { hello: AgentHelloBody { chosen, oldest, newest, agent: name } }
    }
}

/// How many accesses a line that names no limit asks for.
const ACCESSES: u32 = 100;

/// The kinds of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// See [`Verb::Whoami`].
    Whoami,
    /// See [`Verb::Status`].
    Status,
    /// See [`Verb::Token`].
    Token,
    /// See [`Verb::Refresh`].
    Refresh,
    /// See [`Verb::Login`].
    Login,
    /// See [`Verb::Answer`].
    Answer,
    /// See [`Verb::Cancel`].
    Cancel,
    /// See [`Verb::Logout`].
    Logout,
    /// See [`Verb::Agent`].
    Agent,
    /// See [`Verb::Stop`].
    Stop,
    /// See [`Verb::Better`].
    Better,
    /// See [`Verb::Wait`].
    Wait,
    /// See [`Verb::Inspect`].
    Inspect,
    /// See [`Verb::Reminder`].
    Reminder,
    /// See [`Verb::SetReminder`].
    SetReminder,
    /// See [`Verb::ClearReminder`].
    ClearReminder,
    /// See [`Verb::Events`].
    Events,
    /// See [`Verb::Accesses`].
    Accesses,
}

/// One request line. Which fields a kind takes is checked when it becomes a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLine {
    request: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_validity_secs: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    force: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheme: Option<Scheme>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flow: Option<FlowId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    than: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    past: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

impl TryFrom<RequestLine> for Request {
    type Error = NotALine;

    fn try_from(mut line: RequestLine) -> Result<Self, NotALine> {
        let missing = NotALine::Missing;
        let verb = match line.request {
            Kind::Whoami => Verb::Whoami,
            Kind::Status => Verb::Status,
            Kind::Token => Verb::Token { min_validity_secs: line.min_validity_secs.take().unwrap_or(0) },
            Kind::Refresh => Verb::Refresh { force: line.force.take().unwrap_or(false) },
            Kind::Login => Verb::Login { scheme: line.scheme.take() },
            Kind::Answer => Verb::Answer {
                flow: line.flow.take().ok_or(missing("flow"))?,
                text: line.text.take().ok_or(missing("text"))?,
            },
            Kind::Cancel => Verb::Cancel { flow: line.flow.take().ok_or(missing("flow"))? },
            Kind::Logout => Verb::Logout,
            Kind::Agent => Verb::Agent,
            Kind::Stop => Verb::Stop,
            Kind::Better => Verb::Better { than: line.than.take().ok_or(missing("than"))? },
            Kind::Wait => Verb::Wait { flow: line.flow.take().ok_or(missing("flow"))? },
            Kind::Inspect => Verb::Inspect { token: line.token.take() },
            Kind::Reminder => Verb::Reminder,
            Kind::SetReminder => Verb::SetReminder {
                when: match line.at.take() {
                    Some(at) => When::At(at),
                    None => When::InDays(line.in_days.take().ok_or(missing("in_days"))?),
                },
            },
            Kind::ClearReminder => Verb::ClearReminder,
            Kind::Events => Verb::Events { past: line.past.take().unwrap_or(false) },
            Kind::Accesses => Verb::Accesses { limit: line.limit.take().unwrap_or(ACCESSES) },
        };
        let left = [
            ("min_validity_secs", line.min_validity_secs.is_some()),
            ("force", line.force.is_some()),
            ("scheme", line.scheme.is_some()),
            ("flow", line.flow.is_some()),
            ("text", line.text.is_some()),
            ("than", line.than.is_some()),
            ("token", line.token.is_some()),
            ("in_days", line.in_days.is_some()),
            ("at", line.at.is_some()),
            ("past", line.past.is_some()),
            ("limit", line.limit.is_some()),
        ];
        if let Some((name, _)) = left.iter().find(|(_, there)| *there) {
            return Err(NotALine::Superfluous(name));
        }
        let expect = Expect { server: line.server, session_file: line.session_file };
        Ok(Self { profile: line.profile, expect, verb })
    }
}

impl From<Request> for RequestLine {
    fn from(request: Request) -> Self {
        let bare = Self {
            request: Kind::Whoami,
            profile: request.profile,
            server: request.expect.server,
            session_file: request.expect.session_file,
            min_validity_secs: None,
            force: None,
            scheme: None,
            flow: None,
            text: None,
            than: None,
            token: None,
            in_days: None,
            at: None,
            past: None,
            limit: None,
        };
        match request.verb {
            Verb::Whoami => Self { request: Kind::Whoami, ..bare },
            Verb::Status => Self { request: Kind::Status, ..bare },
            Verb::Token { min_validity_secs } => {
                Self { request: Kind::Token, min_validity_secs: Some(min_validity_secs), ..bare }
            }
            Verb::Refresh { force } => Self { request: Kind::Refresh, force: Some(force), ..bare },
            Verb::Login { scheme } => Self { request: Kind::Login, scheme, ..bare },
            Verb::Answer { flow, text } => {
                Self { request: Kind::Answer, flow: Some(flow), text: Some(text), ..bare }
            }
            Verb::Cancel { flow } => Self { request: Kind::Cancel, flow: Some(flow), ..bare },
            Verb::Logout => Self { request: Kind::Logout, ..bare },
            Verb::Agent => Self { request: Kind::Agent, ..bare },
            Verb::Stop => Self { request: Kind::Stop, ..bare },
            Verb::Better { than } => Self { request: Kind::Better, than: Some(than), ..bare },
            Verb::Wait { flow } => Self { request: Kind::Wait, flow: Some(flow), ..bare },
            Verb::Inspect { token } => Self { request: Kind::Inspect, token, ..bare },
            Verb::Reminder => Self { request: Kind::Reminder, ..bare },
            Verb::SetReminder { when: When::InDays(days) } => {
                Self { request: Kind::SetReminder, in_days: Some(days), ..bare }
            }
            Verb::SetReminder { when: When::At(at) } => {
                Self { request: Kind::SetReminder, at: Some(at), ..bare }
            }
            Verb::ClearReminder => Self { request: Kind::ClearReminder, ..bare },
            Verb::Events { past } => Self { request: Kind::Events, past: Some(past), ..bare },
            Verb::Accesses { limit } => Self { request: Kind::Accesses, limit: Some(limit), ..bare },
        }
    }
}

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
    Refreshed {
        /// Unix seconds.
        access_expires_at: u64,
    },
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
            Reply::Refreshed { access_expires_at } => Self::Refreshed { access_expires_at },
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
            ReplyLine::Refreshed { access_expires_at } => Self::Refreshed { access_expires_at },
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

/// Reads one hello line (without its newline).
pub fn read_hello(line: &[u8]) -> Result<ClientHello, NotALine> {
    read::<HelloLine>(line).map(ClientHello::from)
}

/// Reads one request line (without its newline).
pub fn read_request(line: &[u8]) -> Result<Request, NotALine> {
    read::<RequestLine>(line)?.try_into()
}

/// Reads one reply line (without its newline).
pub fn read_reply(line: &[u8]) -> Result<Reply, NotALine> {
    read::<ReplyLine>(line).map(Reply::from)
}

/// The line of a message, newline included.
pub fn write(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// A struct's fields in order would do for serde; a line is an object.
fn read<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, NotALine> {
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(NotALine::Shape { column: 1 });
    }
    serde_json::from_slice(line).map_err(|e| NotALine::Shape { column: e.column() })
}
