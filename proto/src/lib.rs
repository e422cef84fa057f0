//! The words between everkey's agent and its clients.
//! Frames, hello, requests, replies, stable error codes, `Secret`, and where things live.
//! Deliberately absent: I/O, clocks, environment access.
#![forbid(unsafe_code)]

pub mod codec;
pub mod frame;
pub mod hello;
pub mod json;
pub mod place;
pub mod reply;
pub mod request;
pub mod secret;
pub mod text;

pub use reply::{Code, Failure, Reply};
pub use request::{Expect, FlowId, Request, Scheme, Verb};
pub use secret::Secret;

/// The newest protocol version this build speaks.
pub const VERSION: u16 = 1;

/// The oldest protocol version this build still speaks.
pub const OLDEST: u16 = 1;

/// The profile a request means when it names none.
pub const DEFAULT_PROFILE: &str = "failproofai";
