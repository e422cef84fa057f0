//! JSON lines: hello, requests, replies.

use super::{messages, object, opens_object, sentence};
use crate::{measure, reach};
use everkey_proto::frame::{REPLY_CAP, REQUEST_CAP};
use everkey_proto::json::{self, HelloBody, HelloLine, LineError};

/// Every field that some request takes; listed again, so that a field that slips into `proto` is noticed.
const FIELDS: &[&str] = &[
    "request",
    "profile",
    "server",
    "session_file",
    "min_validity_secs",
    "force",
    "scheme",
    "flow",
    "text",
    "email",
    "code",
    "than",
    "token",
    "in_days",
    "at",
    "past",
    "limit",
];

pub fn hello(line: &[u8]) {
    let hello = match measure::json(line.len(), || json::read_hello(line)) {
        Ok(hello) => hello,
        Err(e) => return no_echo(&e),
    };
    reach::deep();
    assert!(opens_object(line), "a hello that is no object was read");
    let body = HelloBody { oldest: hello.oldest, newest: hello.newest, client: hello.name.clone() };
    let again = json::write(&HelloLine { hello: body });
    assert_eq!(json::read_hello(&again).as_ref(), Ok(&hello), "not written as it was read");
}

pub fn request(line: &[u8]) {
    if line.len() > REQUEST_CAP {
        return;
    }
    let request = match measure::json(line.len(), || json::read_request(line)) {
        Ok(request) => request,
        Err(e) => return no_echo(&e),
    };
    reach::deep();
    assert!(opens_object(line), "a request that is no object was read");
    if let Some(fields) = object(line) {
        assert!(fields.keys().all(|key| FIELDS.contains(&key.as_str())), "an unknown field was passed over");
    }
    messages::request_as_line(&request);
    messages::request_in_frame(&request);
}

pub fn reply(line: &[u8]) {
    if line.len() > REPLY_CAP {
        return;
    }
    let reply = match measure::tree(line.len(), || json::read_reply(line)) {
        Ok(reply) => reply,
        Err(e) => return no_echo(&e),
    };
    reach::deep();
    assert!(opens_object(line), "a reply that is no object was read");
    messages::reply_as_line(&reply);
    messages::reply_in_frame(&reply);
}

/// What is said about a bad line is made of our own words and a number.
fn no_echo(e: &LineError) {
    let said = sentence(e);
    let own = match e {
        LineError::Shape { .. } => {
            said == "the line is not a message as proto/README.md describes it (column )"
        }
        LineError::UnknownWord { .. } => {
            said == "the line has a word that this version does not know (column )"
        }
        LineError::UnknownRequest => said == "this version knows no such \"request\"",
        LineError::Missing(field) => {
            FIELDS.contains(field) && said == format!("the request needs the field \"{field}\"")
        }
        LineError::Superfluous(field) => {
            FIELDS.contains(field) && said == format!("the request takes no field \"{field}\"")
        }
    };
    assert!(own, "{said}");
}
