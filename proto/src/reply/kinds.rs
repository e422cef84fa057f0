//! What the agent answers, protocol version 1. Once released, variants and fields are only appended, and an appended field has
//! a default.

use super::agent::{Access, AccessPage, AgentInfo};
use super::event::Event;
use super::examination::Examination;
use super::failure::Failure;
use super::reminder::Reminder;
use super::session::{Inspection, Refreshed, Revocation, Token, User};
use super::sign_in::Step;
use super::status::Status;
use serde::{Deserialize, Serialize};

/// One reply on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Somebody is signed in; none where the server does not say who.
    Whoami(Option<User>),
    /// The profile as it stands.
    Status(Box<Status>),
    /// A valid access token.
    Token(Token),
    /// The refresh has happened, or was not needed.
    Refreshed(Refreshed),
    /// Where a sign-in stands.
    Step(Step),
    /// The local session is gone.
    LoggedOut {
        /// Whether the server knows it.
        revocation: Revocation,
        /// What the server answered instead of revoking, in a sentence; it is asked again for seven days.
        #[serde(default)]
        why: Option<String>,
    },
    /// What the agent is.
    Agent(AgentInfo),
    /// The agent drains and exits.
    Stopping,
    /// It did not work.
    Failed(Failure),
    /// What the server says of a token.
    Inspected(Inspection),
    /// The reminder as it stands; none if there is none.
    Reminder(Option<Reminder>),
    /// Events follow from here on.
    Following,
    /// Something has happened.
    Event(Event),
    /// Who was handed tokens, the newest first.
    Accesses(Vec<Access>),
    /// A part of the access log.
    AccessLog(AccessPage),
    /// How the agent is, and how far it gets to each server.
    Examined(Examination),
}
