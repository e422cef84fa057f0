//! A request as a line of JSON: `{"request":"token","profile":"work","min_validity_secs":60}`.

use super::fields::{LineField, LineFields};
use super::line::{self, LineError};
use crate::request::{
    AgentRequest, Expect, ProfileRequest, ReminderRequest, Request, SessionRequest, agent_requests,
    reminder_requests, session_requests,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A request about to be written as a line.
struct RequestLine<'a>(&'a Request);

impl Serialize for RequestLine<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut line = to.serialize_map(None)?;
        match self.0 {
            Request::Agent(request) => {
                line.serialize_entry("request", request.as_str())?;
                request.put_fields(&mut line)?;
            }
            Request::Profile { profile, expect, request } => {
                line.serialize_entry("request", request.as_str())?;
                profile.put(&mut line, "profile")?;
                expect.server.put(&mut line, "server")?;
                expect.session_file.put(&mut line, "session_file")?;
                match request {
                    ProfileRequest::Session(request) => request.put_fields(&mut line)?,
                    ProfileRequest::Reminder(request) => request.put_fields(&mut line)?,
                }
            }
        }
        line.end()
    }
}

/// Reads one request line (without its newline).
///
/// # Errors
/// [`LineError`], naming the field in question where there is one.
pub fn read_request(line: &[u8]) -> Result<Request, LineError> {
    let mut fields = LineFields::read(line)?;
    let word: String = fields.required("request")?;
    let profile = fields.optional("profile")?;
    let expect =
        Expect { server: fields.optional("server")?, session_file: fields.optional("session_file")? };
    let of_profile = match SessionRequest::take_fields(&word, &mut fields)? {
        Some(request) => Some(ProfileRequest::Session(request)),
        None => ReminderRequest::take_fields(&word, &mut fields)?.map(ProfileRequest::Reminder),
    };
    let request = match of_profile {
        Some(request) => Request::Profile { profile, expect, request },
        // Profile, server and session file mean nothing to these, and may be there all the same.
        None => {
            Request::Agent(AgentRequest::take_fields(&word, &mut fields)?.ok_or(LineError::UnknownRequest)?)
        }
    };
    fields.end()?;
    Ok(request)
}

/// The line of a request, newline included.
pub fn write_request(request: &Request) -> Vec<u8> {
    line::write(&RequestLine(request))
}

macro_rules! default {
    () => {
        None
    };
    ($default:expr) => {
        Some($default)
    };
}

macro_rules! lines {
    (
        $(#[$of_all:meta])* $Requests:ident in $Outer:ident: $OneCall:ident;
        $(
            $(#[$doc:meta])* $word:literal $Name:ident
            $({ $($(#[doc = $of_field:expr])* $(#[serde($how:ident)])? $field:ident: $Type:ty $(= $default:expr)?,)* })?
            -> $Reply:ty = $pattern:pat => $value:expr;
        )*
    ) => {
        impl $Requests {
            /// The request of that word, if it is one of these.
            fn take_fields(word: &str, fields: &mut LineFields<'_>) -> Result<Option<Self>, LineError> {
                Ok(Some(match word {
                    $($word => Self::$Name $({
                        $($field: LineField::take(fields, stringify!($field), default!($($default)?))?,)*
                    })?,)*
                    _ => return Ok(None),
                }))
            }

            fn put_fields<M: SerializeMap>(&self, line: &mut M) -> Result<(), M::Error> {
                match self {
                    $(Self::$Name $({ $($field,)* })? => {
                        $($($field.put(line, stringify!($field))?;)*)?
                    })*
                }
                Ok(())
            }
        }
    };
}

session_requests!(lines);
reminder_requests!(lines);
agent_requests!(lines);
