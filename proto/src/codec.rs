//! The one place that knows bincode (unmaintained, RUSTSEC-2025-0141): always with a limit, always to the last byte.

use crate::frame::{REPLY_CAP, REQUEST_CAP};
use crate::{Reply, Request};
use bincode::config::{Configuration, Fixint, Limit, LittleEndian, standard};
use serde::{Serialize, de::DeserializeOwned};

/// The bytes are not a message of this protocol version, or the message is over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this protocol version")]
pub struct NotAMessage;

const fn config<const CAP: usize>() -> Configuration<LittleEndian, Fixint, Limit<CAP>> {
    standard().with_fixed_int_encoding().with_limit::<CAP>()
}

/// The frame body of a request.
pub fn encode_request(request: &Request) -> Result<Vec<u8>, NotAMessage> {
    encode::<REQUEST_CAP>(request)
}

/// Reads the frame body of a request.
pub fn decode_request(body: &[u8]) -> Result<Request, NotAMessage> {
    decode::<REQUEST_CAP, _>(body)
}

/// The frame body of a reply.
pub fn encode_reply(reply: &Reply) -> Result<Vec<u8>, NotAMessage> {
    encode::<REPLY_CAP>(reply)
}

/// Reads the frame body of a reply.
pub fn decode_reply(body: &[u8]) -> Result<Reply, NotAMessage> {
    decode::<REPLY_CAP, _>(body)
}

fn encode<const CAP: usize>(message: &impl Serialize) -> Result<Vec<u8>, NotAMessage> {
    bincode::serde::encode_to_vec(message, config::<CAP>()).map_err(|_| NotAMessage)
}

fn decode<const CAP: usize, T: DeserializeOwned>(body: &[u8]) -> Result<T, NotAMessage> {
    match bincode::serde::decode_from_slice(body, config::<CAP>()) {
        Ok((message, read)) if read == body.len() => Ok(message),
        _ => Err(NotAMessage),
    }
}
