//! The same requests and replies as JSON, one object a line, for languages without a library.
//! Types of their own, because frames carry no tags and no flattened or skipped fields.
//! Errors never echo the input: it may hold a secret.

mod event;
mod reply;
mod request;

pub use event::EventLine;
pub use reply::ReplyLine;
pub use request::{Kind, RequestLine};

use crate::Request;
use crate::hello::{AgentHello, ClientHello};
use crate::reply::Reply;
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
