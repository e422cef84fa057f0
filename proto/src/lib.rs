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
pub mod fingerprint;
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
mod version;

pub use fingerprint::Fingerprint;
pub use provider::ProviderKind;
pub use reply::{Code, Failure, Reply};
pub use request::{DEFAULT_PROFILE, Entry, Expect, FlowId, Request, Scheme, When};
pub use secret::Secret;
pub use version::{OLDEST, VERSION};
