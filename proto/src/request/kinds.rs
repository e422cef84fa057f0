//! A type for each request of the tables, the enums that frames carry, and what ties a request to its reply.

use super::table::{agent_requests, reminder_requests, session_requests};
use super::values::{Entry, Expect, FlowId, SignInMethod, UnderWay, When};
use crate::fingerprint::Fingerprint;
use crate::reply::{
    self, Access, AccessPage, AgentInfo, Examination, Inspection, LoggedOut, Refreshed, Reply, Revocation,
    Step, User,
};
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// One request on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// About one profile.
    Profile {
        /// Its name; none means the default one.
        profile: Option<String>,
        /// What the caller counts on.
        expect: Expect,
        /// What is asked.
        request: ProfileRequest,
    },
    /// About the agent as a whole.
    Agent(AgentRequest),
}

impl From<AgentRequest> for Request {
    fn from(request: AgentRequest) -> Self {
        Self::Agent(request)
    }
}

/// What can be asked about one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProfileRequest {
    /// About its session.
    Session(SessionRequest),
    /// About its reminder.
    Reminder(ReminderRequest),
}

impl ProfileRequest {
    /// The request's word in JSON lines and in the log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Session(request) => request.as_str(),
            Self::Reminder(request) => request.as_str(),
        }
    }
}

impl From<SessionRequest> for ProfileRequest {
    fn from(request: SessionRequest) -> Self {
        Self::Session(request)
    }
}

impl From<ReminderRequest> for ProfileRequest {
    fn from(request: ReminderRequest) -> Self {
        Self::Reminder(request)
    }
}

/// A request with the type of its reply.
pub trait Call {
    /// What the agent answers if it does not refuse.
    type Reply;

    /// The answer in a reply; none if the reply belongs to another request.
    fn answer(reply: Reply) -> Option<Self::Reply>;
}

/// A [`Call`] about one profile.
pub trait ProfileCall: Call + Into<ProfileRequest> {}

/// A [`Call`] about the agent as a whole.
pub trait AgentCall: Call + Into<AgentRequest> {}

macro_rules! kind {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $Name;
    };
    ($(#[$doc:meta])* $Name:ident { $($(#[$of_field:meta])* $field:ident: $Type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $Name {
            $($(#[$of_field])* pub $field: $Type,)*
        }
    };
}

macro_rules! kinds {
    (
        $(#[$of_all:meta])* $Requests:ident in $Outer:ident: $OneCall:ident;
        $(
            $(#[$doc:meta])* $word:literal $Name:ident
            $({ $($(#[doc = $of_field:expr])* $(#[serde($how:ident)])? $field:ident: $Type:ty $(= $default:expr)?,)* })?
            -> $Reply:ty = $pattern:pat => $value:expr;
        )*
    ) => {
        $(#[$of_all])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $Requests {
            $($(#[$doc])* $Name $({ $($(#[doc = $of_field])* $(#[serde($how)])? $field: $Type,)* })?,)*
        }

        impl $Requests {
            /// The request's word in JSON lines and in the log.
            pub fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$Name { .. } => $word,)*
                }
            }
        }

        $(
            kind!($(#[$doc])* $Name $({ $($(#[doc = $of_field])* $field: $Type,)* })?);

            impl Call for $Name {
                type Reply = $Reply;

                fn answer(reply: Reply) -> Option<$Reply> {
                    match reply {
                        $pattern => Some($value),
                        _ => None,
                    }
                }
            }

            impl From<$Name> for $Requests {
                fn from(call: $Name) -> Self {
                    let $Name $({ $($field,)* })? = call;
                    Self::$Name $({ $($field,)* })?
                }
            }

            impl From<$Name> for $Outer {
                fn from(call: $Name) -> Self {
                    Self::from($Requests::from(call))
                }
            }

            impl $OneCall for $Name {}
        )*
    };
}

session_requests!(kinds);
reminder_requests!(kinds);
agent_requests!(kinds);
