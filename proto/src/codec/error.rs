//! What can be wrong with a message.

use std::fmt::Display;

/// Why bytes are not a message, or a message can't become bytes. Never quotes the input: it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes are cut, overlong, or not of the form that `proto/README.md` describes.
    #[error("not a message of this protocol version")]
    Malformed,
    /// A newer peer uses a variant that this build does not know. The frame itself is whole.
    #[error("this build knows no {name} number {number}")]
    Unknown {
        /// The enum, as this crate names it: `Reply`, `State`.
        name: &'static str,
        /// The variant's number, from 0.
        number: u16,
    },
    /// The message is over the limit of its direction, [`REQUEST_CAP`](crate::frame::REQUEST_CAP) or
    /// [`REPLY_CAP`](crate::frame::REPLY_CAP).
    #[error("the message is over its limit")]
    TooLong,
}

impl serde::ser::Error for CodecError {
    fn custom<T: Display>(_: T) -> Self {
        Self::Malformed
    }
}

impl serde::de::Error for CodecError {
    fn custom<T: Display>(_: T) -> Self {
        Self::Malformed
    }
}
