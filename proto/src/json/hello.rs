//! The hello as a line of JSON. Its field names are frozen for ever.

use super::line::{self, LineError};
use crate::hello::{AgentHello, ClientHello};
use serde::{Deserialize, Serialize};

/// `{"hello":{"oldest":1,"newest":1,"client":"name"}}`.
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
    /// What the program calls itself, for the access log.
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

/// Reads a client's hello line (without its newline).
///
/// # Errors
/// [`LineError::Shape`].
pub fn read_hello(line: &[u8]) -> Result<ClientHello, LineError> {
    line::read::<HelloLine>(line).map(ClientHello::from)
}
