//! Messages as the bodies of frames, in a form that can grow.
//!
//! | value | bytes |
//! | --- | --- |
//! | number | fixed width, little-endian |
//! | `bool` | 0 or 1 |
//! | text | `u32` length, UTF-8 |
//! | optional value | 0, or 1 and the value |
//! | list | `u32` count, the elements |
//! | map | `u32` count, names and values, the names in ascending order |
//! | struct | record: `u32` length, the fields in order |
//! | enum | `u16` number of the variant, then a record of its fields |
//!
//! A reader that finds a record longer than its own fields passes over the rest; a field that a shorter record lacks
//! takes its default, if it has one (`#[serde(default)]`). So a newer peer may append fields. No length is believed
//! beyond the bytes that are there, and nothing is allocated ahead of them.

mod error;
mod numbers;
mod read;
mod write;

pub use error::CodecError;

use crate::frame::{REPLY_CAP, REQUEST_CAP};
use crate::{Reply, Request};
use serde::{Serialize, de::DeserializeOwned};

/// The frame body of a request.
///
/// # Errors
/// [`CodecError::TooLong`] over [`REQUEST_CAP`].
pub fn encode_request(request: &Request) -> Result<Vec<u8>, CodecError> {
    encode(request, REQUEST_CAP)
}

/// Reads the frame body of a request, to its last byte.
///
/// # Errors
/// [`CodecError::Malformed`], [`CodecError::Unknown`].
pub fn decode_request(body: &[u8]) -> Result<Request, CodecError> {
    decode(body, REQUEST_CAP)
}

/// The frame body of a reply.
///
/// # Errors
/// [`CodecError::TooLong`] over [`REPLY_CAP`].
pub fn encode_reply(reply: &Reply) -> Result<Vec<u8>, CodecError> {
    encode(reply, REPLY_CAP)
}

/// Reads the frame body of a reply, to its last byte.
///
/// # Errors
/// [`CodecError::Malformed`], [`CodecError::Unknown`].
pub fn decode_reply(body: &[u8]) -> Result<Reply, CodecError> {
    decode(body, REPLY_CAP)
}

fn encode(message: &impl Serialize, cap: usize) -> Result<Vec<u8>, CodecError> {
    let mut writer = write::Writer::new(cap);
    message.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

fn decode<T: DeserializeOwned>(body: &[u8], cap: usize) -> Result<T, CodecError> {
    if body.len() > cap {
        return Err(CodecError::Malformed);
    }
    let mut reader = read::Reader::new(body);
    let message = T::deserialize(&mut reader)?;
    if reader.is_empty() { Ok(message) } else { Err(CodecError::Malformed) }
}

#[cfg(test)]
mod tests;
