//! A request as a line of JSON.

use super::NotALine;
use crate::request::When;
use crate::{Expect, FlowId, Request, Scheme, Secret, Verb};
use serde::{Deserialize, Serialize};

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
