//! The words between everkey's agent and its clients.
//! Frames, hello, requests, replies, stable error codes, `Secret`, configuration, and where things live.
//! Deliberately absent: I/O, clocks, environment access.
#![forbid(unsafe_code)]

pub mod achilles;
pub mod address;
pub mod codec;
pub mod config;
mod config_text;
pub mod errand;
pub mod frame;
pub mod hello;
pub mod json;
pub mod place;
pub mod profile;
pub mod provider;
pub mod reply;
pub mod request;
pub mod secret;
pub mod text;

pub use provider::ProviderKind;
pub use reply::{Code, Failure, Reply};
pub use request::{Expect, FlowId, Request, Scheme, Verb, When};
pub use secret::Secret;

/// The newest protocol version this build speaks.
pub const VERSION: u16 = 1;

/// The oldest protocol version this build still speaks.
pub const OLDEST: u16 = 1;

/// The profile a request means when it names none.
pub const DEFAULT_PROFILE: &str = "failproofai";
